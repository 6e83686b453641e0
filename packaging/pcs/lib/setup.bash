# holdfast-cluster setup: the cluster, from one node. Sourced by holdfast-cluster.
# shellcheck shell=bash

# How long the finished cluster may take until every database is promoted, in seconds.
# A first start copies the whole data to two nodes.
readonly converge_limit=900

setup() {
  [ "$dry_run" = yes ] || setup_requires
  introduce_nodes
  form_cluster
  configure
  [ "$dry_run" = yes ] || wait_converged
  summary "cluster ${setting[CLUSTER_NAME]} is set up"
}

setup_requires() {
  require_packages
  [ -n "${node_address[$(uname -n)]:-}" ] ||
    die 'this machine, %s, is no node of NODES; run setup on one that is' "$(uname -n)"
  # A default cluster here means that prepare was not run here.
  if [ -e "$corosync_config" ] && is_default_cluster; then
    die "Debian's default cluster is still here; run holdfast-cluster prepare on every node first"
  fi
  require_fence_agent
  [ ! -e "$corosync_config" ] || same_cluster
}

require_fence_agent() {
  local agent=${setting[FENCE_AGENT]}
  [ "$agent" = none ] || command -v "$agent" >/dev/null 2>&1 ||
    bad_setting 'FENCE_AGENT=%s is not installed; pcs stonith list shows what is, the package fence-agents has them all' "$agent"
}

# pcs's daemons trust each other after this. The password goes through standard
# input: an argument could be read in the process list.
introduce_nodes() {
  local name arguments=() password output
  for name in "${nodes[@]}"; do arguments+=("$name" "addr=${node_address[$name]}"); done
  if [ "$dry_run" = yes ]; then
    changes=$((changes + 1))
    quoted pcs host auth "${arguments[@]}" -u hacluster
    return
  fi
  nodes_known && return
  password=$(hacluster_password)
  [ -n "$password" ] ||
    bad_setting 'HACLUSTER_PASSWORD is not set, and the nodes do not know each other yet; set it to the password that passwd hacluster set on every node'
  output=$(pcs host auth "${arguments[@]}" -u hacluster <<<"$password" 2>&1) ||
    die 'the nodes could not be introduced to each other (is the password of hacluster the same on all, and pcsd running?): %s' "${output#Password: }"
  changes=$((changes + 1))
  say "nodes introduced to each other: ${nodes[*]}"
}

hacluster_password() {
  if [ -n "${setting[HACLUSTER_PASSWORD_FILE]}" ]; then
    head -n 1 "${setting[HACLUSTER_PASSWORD_FILE]}"
  else
    printf '%s\n' "${setting[HACLUSTER_PASSWORD]}"
  fi
}

nodes_known() {
  local report name
  report=$(pcs pcsd status "${nodes[@]}" 2>&1) || return 1
  for name in "${nodes[@]}"; do grep -Eq "^[[:space:]]*$name: Online" <<<"$report" || return 1; done
}

form_cluster() {
  local name members=() timing=("token=${setting[TOKEN]}" "consensus=${setting[CONSENSUS]}" "join=${setting[JOIN]}")
  # token_coefficient=0: TOKEN is what it says, for any number of nodes.
  timing+=(token_coefficient=0)
  if [ "$dry_run" = no ] && [ -e "$corosync_config" ]; then
    start_everywhere
    update_timing "${timing[@]}"
    return
  fi
  for name in "${nodes[@]}"; do members+=("$name" "addr=${node_address[$name]}"); done
  remedy='Run holdfast-cluster prepare on every node first; it removes the cluster that Debian starts, and says so if a node belongs to another.' \
    change "cluster ${setting[CLUSTER_NAME]} formed and started" \
    pcs cluster setup "${setting[CLUSTER_NAME]}" "${members[@]}" \
    transport knet link ping_interval=200 "ping_timeout=${setting[LINK_TIMEOUT]}" pong_count=1 totem "${timing[@]}" --enable --start --wait=120
}

# A cluster that is not ours is never touched.
same_cluster() {
  local name address
  local -A present=()
  own_cluster
  while read -r name address; do present[$name]=$address; done < <(members)
  for name in "${nodes[@]}"; do
    [ -n "${present[$name]:-}" ] ||
      die '%s is in NODES but not in the running cluster; add it with pcs cluster node add %s addr=%s' "$name" "$name" "${node_address[$name]}"
    [ "${present[$name]}" = "${node_address[$name]}" ] ||
      die 'NODES gives %s the address %s, the cluster has %s; correct NODES, or with the cluster stopped: pcs cluster link update 0 %s=%s' \
        "$name" "${node_address[$name]}" "${present[$name]}" "$name" "${node_address[$name]}"
  done
  for name in "${!present[@]}"; do
    [ -n "${node_address[$name]:-}" ] ||
      die '%s is in the running cluster but not in NODES; add it there, or remove it with pcs cluster node remove %s' "$name" "$name"
  done
}

update_timing() {
  local option differ=() silent
  for option in "$@"; do [ "$(totem "${option%%=*}")" = "${option#*=}" ] || differ+=("$option"); done
  [ ${#differ[@]} -eq 0 ] || change "Corosync's timing changed: ${differ[*]}" pcs cluster config update totem "${differ[@]}"
  # pcs changes a link only while the cluster is stopped, which is the operator's decision.
  silent=$(totem knet_ping_timeout)
  [ "$silent" = "${setting[LINK_TIMEOUT]}" ] ||
    say "LINK_TIMEOUT=${setting[LINK_TIMEOUT]} is not what the cluster has (${silent:-unset}); with the cluster stopped: pcs cluster link update 0 options ping_timeout=${setting[LINK_TIMEOUT]}"
}

start_everywhere() {
  systemctl is-active --quiet pacemaker.service || change "cluster started on every node" pcs cluster start --all --wait=120
}

# The copy of the CIB that is being edited.
cib=''

# The whole configuration is written into a copy of the CIB and pushed as one change,
# so that the cluster never runs with half of it: with the address but not the
# constraint that ties it to a database, say.
configure() {
  local work
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$work'" EXIT
  cib=$work/new.xml
  if [ "$dry_run" = yes ]; then
    cib=new.xml
    changes=$((changes + 1))
    quoted pcs cluster cib old.xml
    quoted cp old.xml new.xml
  else
    wait_for_dc
    pcs cluster cib "$work/old.xml" >/dev/null || die 'the configuration of the cluster could not be read; is it running here? (pcs status)'
    cp "$work/old.xml" "$cib"
  fi
  configure_properties
  configure_fencing
  configure_database
  configure_address
  configure_constraints
  push "$work"
}

# Fresh nodes need some seconds to agree who coordinates; what is pushed before that is lost.
wait_for_dc() {
  wait_until 120 'the cluster to have a coordinator and every node online' all_online
}

all_online() {
  local online name
  online=$(crm_mon -1 --output-as=xml 2>/dev/null) || { seen='the cluster does not answer'; return 1; }
  grep -q '<current_dc present="true"' <<<"$online" || { seen='no coordinator yet'; return 1; }
  for name in "${nodes[@]}"; do
    grep -Eq "<node name=\"$name\" [^>]*online=\"true\"" <<<"$online" || { seen="$name is not online"; return 1; }
  done
}

push() {
  if [ "$dry_run" = yes ]; then
    quoted pcs cluster cib-push new.xml diff-against=old.xml
    return
  fi
  [ "$(canonical "$1/old.xml")" != "$(canonical "$cib")" ] || return 0
  change "configuration of the cluster written" pcs cluster cib-push "$cib" "diff-against=$1/old.xml"
}

# canonical FILE: the configuration in a form that does not depend on the order of
# attributes, which pcs and Pacemaker change at will. Python is there because pcs is.
canonical() {
  python3 -c 'import sys, xml.etree.ElementTree as et
print(et.canonicalize(et.tostring(et.parse(sys.argv[1]).find("configuration")), strip_text=True))' "$1"
}

# edit ARGS...: one pcs command on the copy of the CIB.
edit() {
  if [ "$dry_run" = yes ]; then
    quoted pcs -f "$cib" "$@"
    return
  fi
  local output
  output=$(pcs -f "$cib" "$@" 2>&1 </dev/null) || die '%s failed: %s' "$(quoted pcs "$@")" "$output"
}

# query XPATH: elements of the copy of the CIB.
query() { CIB_file=$cib cibadmin --query --xpath "$1" 2>/dev/null; }

# has ID: the copy of the CIB has an element with this id.
has() { [ "$dry_run" = no ] && query "//configuration//*[@id='$1']" >/dev/null; }

configure_properties() {
  local fencing=true
  [ "${setting[FENCE_AGENT]}" != none ] || fencing=false
  # no-quorum-policy=stop: a node cut off from the majority gives up the address and
  # the database. freeze would keep the address there.
  # load-threshold: from twice that load per core on, Pacemaker does one action at a time in
  # the whole cluster (controld_throttle.c of 2.1.5), so that the address waits for the
  # fencing after all. The default, 80 %, is ordinary work for a database; its nodes must
  # not recover more slowly because they are busy.
  edit property set "stonith-enabled=$fencing" no-quorum-policy=stop 'load-threshold=1000%'
  # transition-delay: a plan that is asked for while updates of the CIB are under way, as always when
  # a node is lost, costs the controller of 2.1.5 a sleep(1) (do_pe_invoke_callback in
  # controld_schedulerd.c), and the clients a second. On a busy machine they took
  # 70 ms at the median, and 208 at the longest of 63.
  # --force: pcs 0.11.5 knows no milliseconds, Pacemaker does.
  edit property set transition-delay=200ms --force
  # The address stays where it is when a node comes back: each move is an interruption.
  edit resource defaults update resource-stickiness=100
}

# configure_fencing writes one device for each node. The settings rule: a device that
# they no longer ask for goes, and so does an option that they no longer have.
# failure-timeout: a switch that was away for a while is tried again without an operator.
configure_fencing() {
  local name agent=${setting[FENCE_AGENT]} options
  local rest=(op monitor "interval=${setting[FENCE_MONITOR]}s" meta failure-timeout=120s)
  for name in "${nodes[@]}"; do
    if has "fence-$name" && [ "$(fence_type "$name")" != "$agent" ]; then edit stonith delete "fence-$name"; fi
    [ "$agent" != none ] || continue
    mapfile -t options < <(fence_options "$name")
    if has "fence-$name"; then
      mapfile -t -O ${#options[@]} options < <(stale_fence_options "$name" "${options[@]}")
      edit stonith update "fence-$name" "${options[@]}" "${rest[@]}"
    else
      edit stonith create "fence-$name" "$agent" "${options[@]}" "${rest[@]}"
    fi
    # A node does not hold the switch of its own power.
    has "location-fence-$name-$name--INFINITY" || edit constraint location "fence-$name" avoids "$name"
  done
}

# fence_options NODE: a line for each option; the node's own override the common ones.
fence_options() {
  local name=$1 key option words
  local -A value=([pcmk_host_list]="$name")
  local -a order=()
  for key in FENCE_OPTIONS "FENCE_OPTIONS_$name"; do
    read -r -a words <<<"${setting[$key]:-}"
    for option in "${words[@]}"; do
      [[ -v value[${option%%=*}] ]] || order+=("${option%%=*}")
      value[${option%%=*}]=${option#*=}
    done
  done
  for key in "${order[@]}" pcmk_host_list; do printf '%s=%s\n' "$key" "${value[$key]}"; done
}

fence_type() { query "//primitive[@id='fence-$1']" | sed -nE 's/.*<primitive [^>]*type="([^"]*)".*/\1/p'; }

# stale_fence_options NODE OPTIONS...: what the device has and the settings do not, as
# NAME=. Pacemaker's own (pcmk_...) may have been tuned by hand and stay.
stale_fence_options() {
  local name=$1 option wanted=' '
  shift
  for option in "$@"; do wanted+="${option%%=*} "; done
  query "//primitive[@id='fence-$name']/instance_attributes/nvpair" | sed -nE 's/.* name="([^"]*)".*/\1/p' |
    while read -r option; do
      [[ $wanted == *" $option "* || $option == pcmk_* ]] || printf '%s=\n' "$option"
    done
}

configure_database() {
  local name address=() map=() parameters operations meta clone
  for name in "${nodes[@]}"; do
    address+=("${node_address[$name]}")
    map+=("$name:${node_address[$name]}")
  done
  # By address, so that nothing depends on a name server that may be as dead as the node.
  parameters=("wsrep_cluster_address=gcomm://$(IFS=,; echo "${address[*]}")" "cluster_host_map=$(IFS=';'; echo "${map[*]}")")
  # Pacemaker tells monitors apart by their interval: the two must differ.
  operations=(op start timeout=120s op stop timeout=120s op demote timeout=120s
    op promote "timeout=${setting[PROMOTE_TIMEOUT]}s"
    op monitor "interval=${setting[DATABASE_MONITOR]}s" timeout=30s role=Promoted
    op monitor "interval=$((setting[DATABASE_MONITOR] + 2))s" timeout=30s role=Unpromoted)
  # A database that fails three times in a row rests for two minutes and is then tried
  # again, without an operator. requires stays at its default, fencing: a database is
  # started only when every lost node is known to be off, so that no start can decide
  # on positions while a node that nobody sees still writes. Databases that run are not
  # touched while a fencing is pending.
  meta=(meta migration-threshold=3 failure-timeout=120s)
  clone=("promoted-max=${#nodes[@]}" "clone-max=${#nodes[@]}" interleave=true)
  if has galera; then
    edit resource update galera "${parameters[@]}" "${operations[@]}" "${meta[@]}"
    edit resource meta galera-clone "${clone[@]}"
  else
    edit resource create galera ocf:holdfast:galera "${parameters[@]}" "${operations[@]}" "${meta[@]}" promotable "${clone[@]}"
  fi
}

configure_address() {
  local parameters=("ip=${setting[ADDRESS]}" "cidr_netmask=${setting[ADDRESS_PREFIX]}") rest
  rest=(op start timeout=20s op stop timeout=20s op monitor "interval=${setting[ADDRESS_MONITOR]}s" timeout=20s)
  # requires=quorum: the address may move before the fencing of its dead node is
  # confirmed. The data do not depend on it, because Galera's own quorum decides who
  # may write; and the dead node is fenced all the same.
  rest+=(meta requires=quorum)
  if has vip; then
    # An empty value takes a parameter away.
    edit resource update vip "${parameters[@]}" "nic=${setting[ADDRESS_INTERFACE]}" "${rest[@]}"
    return
  fi
  [ -z "${setting[ADDRESS_INTERFACE]}" ] || parameters+=("nic=${setting[ADDRESS_INTERFACE]}")
  edit resource create vip ocf:holdfast:IPaddr2 "${parameters[@]}" "${rest[@]}"
}

# The colocation keeps the address where a database is promoted. The order is what takes
# it away from there before that database is demoted or stopped. Neither touches it when
# a database on another node comes or goes (crm_simulate, Pacemaker 2.1.5).
configure_constraints() {
  has vip-with-database ||
    edit constraint colocation add vip with Promoted galera-clone INFINITY id=vip-with-database
  has vip-after-database ||
    edit constraint order promote galera-clone 'then' start vip id=vip-after-database
  # More than the stickiness: the address leaves a database that does not answer or has a full
  # disk while another one is well, before anything has failed. Not -INFINITY: a bad one is
  # better than none.
  has vip-off-unfit ||
    edit constraint location vip rule id=vip-off-unfit-rule constraint-id=vip-off-unfit score=-1000 galera-unfit eq true
}

# wait_until SECONDS WHAT COMMAND: polls; COMMAND leaves in $seen what it saw.
wait_until() {
  local limit=$1 what=$2 begin=$SECONDS shown='' seen=''
  shift 2
  until "$@"; do
    if [ "$seen" != "$shown" ]; then
      say "waiting: $seen"
      shown=$seen
    fi
    [ $((SECONDS - begin)) -lt "$limit" ] ||
      die 'waited %d s for %s; last seen: %s. pcs status and journalctl -u pacemaker say more' "$limit" "$what" "$seen"
    sleep 0.5
  done
}

wait_converged() { wait_until $converge_limit 'every part of the cluster to run' converged; }

converged() {
  local place name settled=yes
  # First, so that what is seen below is the end of what the push began.
  crm_resource --wait --timeout=1s >/dev/null 2>&1 || settled=no
  place=$(crm_resource --resource galera-clone --locate 2>/dev/null) || place=''
  for name in "${nodes[@]}"; do
    grep -Eq "is running on: $name (Promoted|Master)" <<<"$place" ||
      { seen="the database is not promoted on $name$(failure galera "$name")"; return 1; }
  done
  runs vip || { seen="the address ${setting[ADDRESS]} is not up$(failure vip)"; return 1; }
  [ "${setting[FENCE_AGENT]}" = none ] || fence_devices_run || return 1
  [ $settled = yes ] || { seen='Pacemaker is still at work'; return 1; }
}

fence_devices_run() {
  local name
  for name in "${nodes[@]}"; do
    runs "fence-$name" || { seen="the fence device of $name is not usable$(failure "fence-$name")"; return 1; }
  done
}

runs() { crm_resource --resource "$1" --locate 2>/dev/null | grep -q 'is running on:'; }

# failure RESOURCE [NODE]: the last failed action of it, in parentheses, if there is one.
failure() {
  crm_mon -1 --output-as=xml 2>/dev/null |
    sed -nE "s/.*<failure op_key=\"$1_([a-z]+)_[0-9]+\" node=\"(${2:-[^\"]*})\".* exitreason=\"([^\"]*)\".*/ (\1 failed on \2: \3)/p" |
    sed 's/: )$/)/' | tail -n 1
}
