# Reads and checks the settings file. Sourced by holdfast-cluster.
# shellcheck shell=bash

# KEY -> value, with the defaults of the settings that have one.
declare -A setting=(
  [ADDRESS_INTERFACE]='' [HACLUSTER_PASSWORD]='' [HACLUSTER_PASSWORD_FILE]=''
  [FENCE_OPTIONS]='' [ALLOW_NO_FENCING]=no [FENCE_MONITOR]=120
  [TOKEN]=400 [CONSENSUS]=300 [JOIN]=50 [LINK_TIMEOUT]=600 [SUSPECT_TIMEOUT]=500 [GCACHE_SIZE]=256M [SST_METHOD]=mariabackup
  [DATABASE_MONITOR]=1 [ADDRESS_MONITOR]=1 [PROMOTE_TIMEOUT]=3600
)
declare -a required=(CLUSTER_NAME NODES ADDRESS ADDRESS_PREFIX FENCE_AGENT)

# The programs that make a full copy, and the package of each.
declare -rA sst_package=([mariabackup]=mariadb-backup [rsync]=rsync)

# Filled from NODES: the names in order, and name -> address.
declare -a nodes=()
declare -A node_address=()

# bad_setting FORMAT ARGS...: one sentence that names the setting, its value and the remedy.
bad_setting() {
  # shellcheck disable=SC2059 # the format is the caller's sentence
  printf "holdfast-cluster: $1\n" "${@:2}" >&2
  exit 2
}

known_key() {
  local key=$1 k
  for k in "${!setting[@]}" "${required[@]}"; do [ "$k" != "$key" ] || return 0; done
  [[ $key =~ ^FENCE_OPTIONS_[A-Za-z0-9._-]+$ ]]
}

# distance A B: how many letters must be added, removed or changed (Levenshtein).
distance() {
  local a=$1 b=$2 i j least row last=()
  for ((j = 0; j <= ${#b}; j++)); do last[j]=$j; done
  for ((i = 1; i <= ${#a}; i++)); do
    row=("$i")
    for ((j = 1; j <= ${#b}; j++)); do
      least=${last[j - 1]}
      [ "${a:i-1:1}" = "${b:j-1:1}" ] || least=$((least + 1))
      ((last[j] + 1 < least)) && least=$((last[j] + 1))
      ((row[j - 1] + 1 < least)) && least=$((row[j - 1] + 1))
      row[j]=$least
    done
    last=("${row[@]}")
  done
  printf '%s\n' "${last[${#b}]}"
}

# remedy_for_unknown KEY: the name that was meant, if one is near.
remedy_for_unknown() {
  local key=$1 k d nearest='' least=4
  while read -r k; do
    d=$(distance "$key" "$k")
    [ "$d" -ge $least ] || { least=$d nearest=$k; }
  done < <(printf '%s\n' "${required[@]}" "${!setting[@]}" | grep -v '^FENCE_OPTIONS_' | sort -u)
  if [ -n "$nearest" ]; then printf 'did you mean %s?\n' "$nearest"; else printf 'man holdfast-cluster lists them\n'; fi
}

# read_settings FILE: parses KEY=VALUE lines strictly; nothing in the file is executed.
# shellcheck disable=SC2094 # the file is only named in what is said of it
read_settings() {
  local file=$1 line number=0
  [ -e "$file" ] || bad_setting '%s does not exist; copy the example from /usr/share/doc/holdfast-cluster/examples/cluster.conf and edit it' "$file"
  [ -r "$file" ] || bad_setting '%s cannot be read; run as root' "$file"
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] || read_line "$file" "$number" "$line"
  done <"$file"
  check_settings "$file"
}

# The line of each setting that the file has.
declare -A line_of=()

# read_line FILE NUMBER LINE
read_line() {
  local file=$1 number=$2 line=$3 key value
  # The line itself is not shown: it may hold a password.
  [[ $line =~ ^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$ ]] ||
    bad_setting '%s line %d is not KEY=VALUE (a name, no blank, an equals sign)' "$file" "$number"
  key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
  known_key "$key" || bad_setting '%s line %d: there is no setting %s; %s' "$file" "$number" "$key" "$(remedy_for_unknown "$key")"
  [ -z "${line_of[$key]:-}" ] ||
    bad_setting '%s line %d: %s was set in line %d already; remove one of them' "$file" "$number" "$key" "${line_of[$key]}"
  line_of[$key]=$number
  if [[ $value =~ ^\"([^\"]*)\"[[:space:]]*(#.*)?$ ]]; then
    value=${BASH_REMATCH[1]}
  elif [[ $value == *\"* ]]; then
    bad_setting '%s line %d: the double quotes of %s do not match; put one at each end and none inside' "$file" "$number" "$key"
  else
    value=${value%%[[:space:]]#*}
    value=${value%"${value##*[![:space:]]}"}
  fi
  setting[$key]=$value
}

check_settings() {
  local file=$1 key
  for key in "${required[@]}"; do
    [ -n "${setting[$key]:-}" ] || bad_setting '%s is not set in %s, and it must be' "$key" "$file"
  done
  check_private "$file"
  [[ ${setting[CLUSTER_NAME]} =~ ^[A-Za-z0-9_-]{1,32}$ ]] ||
    bad_setting 'CLUSTER_NAME=%s is no name; use up to 32 letters, digits, - and _' "${setting[CLUSTER_NAME]}"
  # Debian's corosync package ships that name; a cluster called so would be taken for it.
  [ "${setting[CLUSTER_NAME]}" != debian ] ||
    bad_setting 'CLUSTER_NAME=debian is what Debian calls the cluster of a fresh installation; choose another name'
  check_nodes
  check_address
  check_fencing
  check_timing
}

# private FILE: nobody but its owner may read it.
private() { [ "$((0$(stat -Lc %a "$1") & 077))" -eq 0 ]; }

# Nobody else may read a file with a password in it.
check_private() {
  local file=$1 key secret='' password=${setting[HACLUSTER_PASSWORD_FILE]}
  [ -z "${setting[HACLUSTER_PASSWORD]}" ] || secret=HACLUSTER_PASSWORD
  for key in "${!setting[@]}"; do
    [[ $key != FENCE_OPTIONS* || ! ${setting[$key]} =~ (^|[[:space:]])[a-z_]*pass(wd|word)= ]] || secret=$key
  done
  [ -z "$secret" ] || private "$file" ||
    bad_setting '%s holds a password (%s) and is open to others (mode %s); chmod 0600 %s' "$file" "$secret" "$(stat -Lc %a "$file")" "$file"
  [ -n "$password" ] || return 0
  [ -z "${setting[HACLUSTER_PASSWORD]}" ] ||
    bad_setting 'HACLUSTER_PASSWORD and HACLUSTER_PASSWORD_FILE=%s are both set; keep one' "$password"
  [ -f "$password" ] && [ -r "$password" ] ||
    bad_setting 'HACLUSTER_PASSWORD_FILE=%s is no file that can be read; correct the path or run as root' "$password"
  private "$password" ||
    bad_setting 'HACLUSTER_PASSWORD_FILE=%s is open to others (mode %s); chmod 0600 %s' "$password" "$(stat -Lc %a "$password")" "$password"
}

is_ipv4() {
  local part parts
  [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
  IFS=. read -r -a parts <<<"$1"
  for part in "${parts[@]}"; do [ "$((10#$part))" -le 255 ] || return 1; done
}

# RFC 4291 section 2.2, forms 1 and 2.
is_ipv6() {
  local part parts count=0
  [[ $1 =~ ^[0-9A-Fa-f:]+$ && $1 == *:*:* && $1 != *:::* && $1 != *::*::* ]] || return 1
  [[ $1 != :[!:]* && $1 != *[!:]: ]] || return 1
  IFS=: read -r -a parts <<<"$1"
  for part in "${parts[@]}"; do
    [ ${#part} -le 4 ] || return 1
    [ -z "$part" ] || count=$((count + 1))
  done
  if [[ $1 == *::* ]]; then [ $count -le 7 ]; else [ $count -eq 8 ]; fi
}

is_ip() { is_ipv4 "$1" || is_ipv6 "$1"; }

check_nodes() {
  local pair name address
  local -A node_of=()
  for pair in ${setting[NODES]}; do
    name=${pair%%=*} address=${pair#*=}
    [[ $pair == *=* && $name =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ ]] ||
      bad_setting 'NODES has %s, which is not NAME=ADDRESS; write db1=192.0.2.1, say' "$pair"
    is_ip "$address" || bad_setting 'NODES gives %s the address %s, which is no IP address; names of hosts do not do' "$name" "$address"
    [ -z "${node_address[$name]:-}" ] || bad_setting 'NODES names %s twice; give each node once' "$name"
    [ -z "${node_of[$address]:-}" ] || bad_setting 'NODES gives %s to %s and to %s; each node has an address of its own' "$address" "${node_of[$address]}" "$name"
    nodes+=("$name")
    node_address[$name]=$address
    node_of[$address]=$name
  done
  [ ${#nodes[@]} -ge 3 ] ||
    bad_setting 'NODES has %d node(s); a cluster that survives the loss of one needs three or more' "${#nodes[@]}"
}

check_address() {
  local limit=128 prefix=${setting[ADDRESS_PREFIX]} name
  is_ip "${setting[ADDRESS]}" || bad_setting 'ADDRESS=%s is no IP address; set a free address of the network of your clients' "${setting[ADDRESS]}"
  is_ipv4 "${setting[ADDRESS]}" && limit=32
  [[ $prefix =~ ^[1-9][0-9]{0,2}$ && $prefix -le $limit ]] ||
    bad_setting 'ADDRESS_PREFIX=%s is no prefix length; set 1 to %d, such as 24' "$prefix" "$limit"
  # The kernel's IFNAMSIZ, and no character that a shell or a path would take apart.
  [[ ${setting[ADDRESS_INTERFACE]} =~ ^[A-Za-z0-9._@-]{0,15}$ ]] ||
    bad_setting 'ADDRESS_INTERFACE=%s is no name of an interface; ip link shows them, empty finds it by the route' "${setting[ADDRESS_INTERFACE]}"
  for name in "${nodes[@]}"; do
    [ "${node_address[$name]}" != "${setting[ADDRESS]}" ] ||
      bad_setting 'ADDRESS=%s is the own address of %s; the floating address must be one that no machine has' "${setting[ADDRESS]}" "$name"
  done
}

check_fencing() {
  local key name option
  [[ ${setting[ALLOW_NO_FENCING]} =~ ^(yes|no)$ ]] ||
    bad_setting 'ALLOW_NO_FENCING=%s is neither yes nor no' "${setting[ALLOW_NO_FENCING]}"
  if [ "${setting[FENCE_AGENT]}" = none ]; then
    [ "${setting[ALLOW_NO_FENCING]}" = yes ] ||
      bad_setting 'FENCE_AGENT=none needs ALLOW_NO_FENCING=yes: without fencing a hung node keeps the address until somebody cuts its power'
    return
  fi
  [[ ${setting[FENCE_AGENT]} =~ ^fence_[a-z0-9_]+$ ]] ||
    bad_setting 'FENCE_AGENT=%s is no fence agent; pcs stonith list shows them, none is without' "${setting[FENCE_AGENT]}"
  for key in "${!setting[@]}"; do
    [[ $key == FENCE_OPTIONS* ]] || continue
    name=${key#FENCE_OPTIONS} name=${name#_}
    [ -z "$name" ] || [ -n "${node_address[$name]:-}" ] ||
      bad_setting '%s is for a node that is not in NODES; correct the name, or remove it' "$key"
    for option in ${setting[$key]}; do
      [[ $option =~ ^[A-Za-z0-9_-]+=.+$ ]] || bad_setting '%s has %s, which is not option=value; pcs stonith describe %s lists the options' "$key" "${option%%=*}" "${setting[FENCE_AGENT]}"
    done
  done
}

check_timing() {
  local key
  for key in TOKEN CONSENSUS JOIN LINK_TIMEOUT SUSPECT_TIMEOUT FENCE_MONITOR DATABASE_MONITOR ADDRESS_MONITOR PROMOTE_TIMEOUT; do
    [[ ${setting[$key]} =~ ^[1-9][0-9]{0,6}$ ]] ||
      bad_setting '%s=%s is not a whole number from 1 to 9999999' "$key" "${setting[$key]}"
  done
  # corosync 3.1.7, exec/totemconfig.c: no timeout below 30 ms, and with four
  # retransmits none of them either, which makes 126 ms of the token.
  [ "${setting[TOKEN]}" -ge 130 ] || bad_setting 'TOKEN=%s is too short for Corosync; set 130 or more (milliseconds)' "${setting[TOKEN]}"
  [ "${setting[JOIN]}" -ge 30 ] || bad_setting 'JOIN=%s is too short for Corosync; set 30 or more (milliseconds)' "${setting[JOIN]}"
  [ "${setting[CONSENSUS]}" -ge "${setting[JOIN]}" ] ||
    bad_setting 'CONSENSUS=%s is shorter than JOIN=%s; Corosync refuses that, raise it' "${setting[CONSENSUS]}" "${setting[JOIN]}"
  # galera 26.4.23, evs_proto.cpp: no keepalive below 0.1 s, and three in a suspicion.
  [ "${setting[SUSPECT_TIMEOUT]}" -ge 300 ] ||
    bad_setting 'SUSPECT_TIMEOUT=%s is too short for Galera; set 300 or more (milliseconds)' "${setting[SUSPECT_TIMEOUT]}"
  [[ ${setting[GCACHE_SIZE]} =~ ^[1-9][0-9]{0,6}[MG]$ ]] ||
    bad_setting 'GCACHE_SIZE=%s is no size; set a number with M or G, such as 256M' "${setting[GCACHE_SIZE]}"
  [ -n "${sst_package[${setting[SST_METHOD]:-none}]:-}" ] ||
    bad_setting 'SST_METHOD=%s is not known here; set mariabackup or rsync' "${setting[SST_METHOD]}"
}
