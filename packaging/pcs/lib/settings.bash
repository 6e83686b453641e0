# Reads and checks the settings file. Sourced by holdfast-cluster.
# shellcheck shell=bash

# KEY -> value, with the defaults of the settings that have one.
declare -A setting=(
  [ADDRESS_INTERFACE]='' [HACLUSTER_PASSWORD]='' [FENCE_OPTIONS]='' [ALLOW_NO_FENCING]=no [FENCE_MONITOR]=120
  [TOKEN]=400 [CONSENSUS]=250 [JOIN]=50 [DATABASE_MONITOR]=2 [ADDRESS_MONITOR]=2 [PROMOTE_TIMEOUT]=3600
)
declare -a required=(CLUSTER_NAME NODES ADDRESS ADDRESS_PREFIX FENCE_AGENT)

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

# read_settings FILE: parses KEY=VALUE lines strictly; nothing in the file is executed.
# shellcheck disable=SC2094 # the file is only named in what is said of it
read_settings() {
  local file=$1 line number=0 key value
  [ -e "$file" ] || bad_setting '%s does not exist; copy the example from /usr/share/doc/holdfast-cluster/examples/cluster.conf and edit it' "$file"
  [ -r "$file" ] || bad_setting '%s cannot be read; run as root' "$file"
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    [[ $line =~ ^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$ ]] ||
      bad_setting '%s line %d is not KEY=VALUE: %s' "$file" "$number" "$line"
    key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    known_key "$key" || bad_setting '%s line %d: there is no setting %s; man holdfast-cluster lists them' "$file" "$number" "$key"
    if [[ $value =~ ^\"(.*)\"[[:space:]]*(#.*)?$ ]]; then
      value=${BASH_REMATCH[1]}
    else
      value=${value%%[[:space:]]#*}
      value=${value%"${value##*[![:space:]]}"}
    fi
    setting[$key]=$value
  done <"$file"
  check_settings "$file"
}

check_settings() {
  local file=$1 key
  for key in "${required[@]}"; do
    [ -n "${setting[$key]:-}" ] || bad_setting '%s is not set in %s, and it must be' "$key" "$file"
  done
  check_private "$file"
  [[ ${setting[CLUSTER_NAME]} =~ ^[A-Za-z0-9_-]{1,32}$ ]] ||
    bad_setting 'CLUSTER_NAME=%s is no name; use up to 32 letters, digits, - and _' "${setting[CLUSTER_NAME]}"
  check_nodes
  check_address
  check_fencing
  check_timing
}

# The file holds passwords.
check_private() {
  local mode
  mode=$(stat -c %a "$1")
  [ -z "${setting[HACLUSTER_PASSWORD]}" ] || [ "$((0$mode & 077))" -eq 0 ] ||
    bad_setting '%s holds a password and is open to others (mode %s); chmod 0600 %s' "$1" "$mode" "$1"
}

is_ipv4() {
  local part parts
  [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] || return 1
  IFS=. read -r -a parts <<<"$1"
  for part in "${parts[@]}"; do [ "$((10#$part))" -le 255 ] || return 1; done
}

is_ip() { is_ipv4 "$1" || [[ $1 == *:*:* && $1 =~ ^[0-9A-Fa-f:.]+$ ]]; }

check_nodes() {
  local pair name address
  for pair in ${setting[NODES]}; do
    name=${pair%%=*} address=${pair#*=}
    [[ $pair == *=* && $name =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ ]] ||
      bad_setting 'NODES has %s, which is not NAME=ADDRESS' "$pair"
    is_ip "$address" || bad_setting 'NODES gives %s the address %s, which is no IP address' "$name" "$address"
    [ -z "${node_address[$name]:-}" ] || bad_setting 'NODES names %s twice; give each node once' "$name"
    nodes+=("$name")
    node_address[$name]=$address
  done
  [ ${#nodes[@]} -ge 3 ] ||
    bad_setting 'NODES has %d node(s); a cluster that survives the loss of one needs three or more' "${#nodes[@]}"
}

check_address() {
  local limit=128 prefix=${setting[ADDRESS_PREFIX]} name
  is_ip "${setting[ADDRESS]}" || bad_setting 'ADDRESS=%s is no IP address' "${setting[ADDRESS]}"
  is_ipv4 "${setting[ADDRESS]}" && limit=32
  [[ $prefix =~ ^[1-9][0-9]{0,2}$ && $prefix -le $limit ]] ||
    bad_setting 'ADDRESS_PREFIX=%s is no prefix length; set 1 to %d, such as 24' "$prefix" "$limit"
  for name in "${nodes[@]}"; do
    [ "${node_address[$name]}" != "${setting[ADDRESS]}" ] ||
      bad_setting 'ADDRESS=%s is the own address of %s; the floating address must be one that no machine has' "${setting[ADDRESS]}" "$name"
  done
}

check_fencing() {
  local key name option
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
      bad_setting '%s is for a node that is not in NODES' "$key"
    for option in ${setting[$key]}; do
      [[ $option =~ ^[A-Za-z0-9_-]+=.+$ ]] || bad_setting '%s has %s, which is not option=value' "$key" "${option%%=*}"
    done
  done
}

check_timing() {
  local key
  for key in TOKEN CONSENSUS JOIN FENCE_MONITOR DATABASE_MONITOR ADDRESS_MONITOR PROMOTE_TIMEOUT; do
    [[ ${setting[$key]} =~ ^[1-9][0-9]*$ ]] || bad_setting '%s=%s is not a whole number above 0' "$key" "${setting[$key]}"
  done
  # corosync 3.1.7, exec/totemconfig.c: no timeout below 30 ms, and with four
  # retransmits none of them either, which makes 126 ms of the token.
  [ "${setting[TOKEN]}" -ge 130 ] || bad_setting 'TOKEN=%s is too short for Corosync; set 130 or more (milliseconds)' "${setting[TOKEN]}"
  [ "${setting[JOIN]}" -ge 30 ] || bad_setting 'JOIN=%s is too short for Corosync; set 30 or more (milliseconds)' "${setting[JOIN]}"
  [ "${setting[CONSENSUS]}" -ge "${setting[JOIN]}" ] ||
    bad_setting 'CONSENSUS=%s is shorter than JOIN=%s; Corosync refuses that' "${setting[CONSENSUS]}" "${setting[JOIN]}"
}
