# holdfast-cluster check: what the settings ask for against what this machine has.
# Changes nothing. Sourced by holdfast-cluster.
# shellcheck shell=bash

# How long one question to another machine may take, in seconds.
readonly answer_limit=20

wrong=0

# found WHAT SENTENCE: something that is as it should be.
found() { printf 'ok     %-9s %s\n' "$1" "$2"; }

# lacking WHAT SENTENCE: something that is not, with the remedy.
lacking() {
  wrong=$((wrong + 1))
  printf 'WRONG  %-9s %s\n' "$1" "$2"
}

check() {
  local name
  name=$(uname -n)
  found settings "${#nodes[@]} nodes, floating address ${setting[ADDRESS]}/${setting[ADDRESS_PREFIX]}"
  if [ -z "${node_address[$name]:-}" ]; then
    printf -- '-      %-9s %s\n' machine "$name is not in NODES, so only the settings were checked"
    return
  fi
  check_packages
  check_own_address "$name"
  check_interface
  check_cluster
  check_database
  check_peers "$name"
  check_fence_devices
  [ $wrong -eq 0 ] || die '%d of the above must be put right first' $wrong
}

check_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -eq 0 ]; then
    found packages "all are installed"
  else
    lacking packages "not installed: ${missing[*]}; apt-get install ${missing[*]}"
  fi
}

check_own_address() {
  local address=${node_address[$1]}
  if [ -n "$(ip -o address show to "$address" 2>/dev/null)" ]; then
    found address "$1 has $address"
  else
    lacking address "$1 has no interface with $address; correct NODES, or give the address to the machine (see the network examples)"
  fi
}

# The rule of the agent: the interface is the one with a route to the address.
check_interface() {
  local nic=${setting[ADDRESS_INTERFACE]} family=-4
  is_ipv4 "${setting[ADDRESS]}" || family=-6
  if [ -n "$nic" ]; then
    if ip link show dev "$nic" >/dev/null 2>&1; then found interface "$nic is there"; else
      lacking interface "there is no $nic here; correct ADDRESS_INTERFACE, ip link shows what there is"
    fi
  elif [ -n "$(ip -o $family route list match "${setting[ADDRESS]}" scope link 2>/dev/null)$(ip -o -6 route list match "${setting[ADDRESS]}" 2>/dev/null)" ]; then
    found interface "a route leads to ${setting[ADDRESS]}"
  else
    lacking interface "no route leads to ${setting[ADDRESS]}; correct ADDRESS, or set ADDRESS_INTERFACE"
  fi
}

check_cluster() {
  if [ ! -e "$corosync_config" ]; then
    found cluster "none yet; setup forms it"
  elif is_default_cluster; then
    lacking cluster "Debian's default cluster is still here; holdfast-cluster prepare removes it"
  elif [ "$(totem cluster_name)" != "${setting[CLUSTER_NAME]}" ]; then
    lacking cluster "this node belongs to the cluster $(totem cluster_name), not to CLUSTER_NAME=${setting[CLUSTER_NAME]}; correct the setting, or remove that cluster with pcs cluster destroy"
  else
    found cluster "this node belongs to ${setting[CLUSTER_NAME]}"
  fi
}

check_database() {
  if systemctl is-enabled --quiet mariadb.service 2>/dev/null; then
    lacking database "mariadb.service is started at boot; holdfast-cluster prepare hands it to Pacemaker"
  elif [ ! -e "$database_config" ]; then
    lacking database "$database_config is missing; holdfast-cluster prepare writes it"
  elif [ "$(cat "$database_config")" != "$(database_config_for "$(uname -n)")" ]; then
    lacking database "$database_config is not what the settings say; holdfast-cluster prepare writes it again"
  else
    found database "configured, and Pacemaker's to start"
  fi
}

# pcsd listens on port 2224.
check_peers() {
  local name
  for name in "${nodes[@]}"; do
    if timeout 3 bash -c "exec 3<>'/dev/tcp/${node_address[$name]}/2224'" 2>/dev/null; then
      found node "pcsd answers on $name"
    else
      lacking node "pcsd does not answer on $name (${node_address[$name]} port 2224); run holdfast-cluster prepare there, or look for a firewall"
    fi
  done
}

# Asks each switch for the state of its node, which proves address, login and outlet.
check_fence_devices() {
  local name agent=${setting[FENCE_AGENT]} output status
  if [ "$agent" = none ]; then
    found fencing "off, by ALLOW_NO_FENCING=yes"
    return
  fi
  if ! command -v "$agent" >/dev/null 2>&1; then
    lacking fencing "FENCE_AGENT=$agent is not installed; pcs stonith list shows what is"
    return
  fi
  for name in "${nodes[@]}"; do
    status=0
    output=$(fence_question "$name" | timeout $answer_limit "$agent" 2>&1) || status=$?
    # Fence agents exit 2 for a machine that is off.
    case $status in
    0) found fencing "the switch says that $name is on" ;;
    2) found fencing "the switch says that $name is off" ;;
    124) lacking fencing "the switch of $name does not answer within $answer_limit s; correct FENCE_OPTIONS" ;;
    *) lacking fencing "the switch of $name: $(fence_error "$output"); correct FENCE_OPTIONS" ;;
    esac
  done
}

# fence_question NODE: what Pacemaker's fencer would write to the agent's standard input.
fence_question() {
  printf 'action=status\nport=%s\n' "$1"
  fence_options "$1" | grep -Ev '^(pcmk_|action=)'
}

# fence_error OUTPUT: what an agent says went wrong, without the time and its usage hint.
fence_error() {
  sed -nE "s/^([0-9-]+ [0-9:,]+ )?ERROR: //; /^Please use '-h'/d; /./p" <<<"$1" | tail -n 1
}
