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
}

# pcs's daemons trust each other after this. The password goes through standard
# input: an argument could be read in the process list.
introduce_nodes() {
  local name arguments=()
  for name in "${nodes[@]}"; do arguments+=("$name" "addr=${node_address[$name]}"); done
  if [ "$dry_run" = yes ]; then
    changes=$((changes + 1))
    quoted pcs host auth "${arguments[@]}" -u hacluster
    return
  fi
  nodes_known && return
  [ -n "${setting[HACLUSTER_PASSWORD]}" ] ||
    bad_setting 'HACLUSTER_PASSWORD is not set, and the nodes do not know each other yet; set it to the password that passwd hacluster set on every node'
  local output
  output=$(pcs host auth "${arguments[@]}" -u hacluster <<<"${setting[HACLUSTER_PASSWORD]}" 2>&1) ||
    die 'the nodes could not be introduced to each other (is the password of hacluster the same on all, and pcsd running?): %s' "$output"
  changes=$((changes + 1))
  say "nodes introduced to each other: ${nodes[*]}"
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
    same_cluster
    update_timing "${timing[@]}"
    start_everywhere
    return
  fi
  for name in "${nodes[@]}"; do members+=("$name" "addr=${node_address[$name]}"); done
  change "cluster ${setting[CLUSTER_NAME]} formed and started" \
    pcs cluster setup "${setting[CLUSTER_NAME]}" "${members[@]}" \
    transport knet link ping_interval=200 "ping_timeout=${setting[LINK_TIMEOUT]}" pong_count=1 totem "${timing[@]}" --enable --start --wait=120
}

# totem NAME: a value of corosync.conf, empty if it is not there.
totem() { sed -nE "s/^[[:space:]]*$1:[[:space:]]*([^[:space:]]+)[[:space:]]*$/\1/p" "$corosync_config" | head -n 1; }

# A cluster that is not ours is never touched.
same_cluster() {
  local name members
  [ "$(totem cluster_name)" = "${setting[CLUSTER_NAME]}" ] ||
    die 'this node belongs to the cluster %s, not to CLUSTER_NAME=%s; correct the setting, or remove that cluster with pcs cluster destroy' \
      "$(totem cluster_name)" "${setting[CLUSTER_NAME]}"
  members=$(sed -nE 's/^[[:space:]]*name:[[:space:]]*([^[:space:]]+)[[:space:]]*$/\1/p' "$corosync_config")
  for name in "${nodes[@]}"; do
    grep -qx -- "$name" <<<"$members" ||
      die '%s is in NODES but not in the running cluster; add it with pcs cluster node add %s addr=%s' "$name" "$name" "${node_address[$name]}"
  done
  for name in $members; do
    [ -n "${node_address[$name]:-}" ] ||
      die '%s is in the running cluster but not in NODES; add it there, or remove it with pcs cluster node remove %s' "$name" "$name"
  done
}

update_timing() {
  local option differ=()
  for option in "$@"; do [ "$(totem "${option%%=*}")" = "${option#*=}" ] || differ+=("$option"); done
  [ ${#differ[@]} -eq 0 ] || change "Corosync's timing changed: ${differ[*]}" pcs cluster config update totem "${differ[@]}"
}

start_everywhere() {
  local name
  name=$(uname -n)
  if ! systemctl is-active --quiet pacemaker.service; then
    change "cluster started on every node" pcs cluster start --all --wait=120
  fi
}

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
  # crm_diff exits 0 when there is no difference.
  if crm_diff --original "$1/old.xml" --new "$cib" --no-version >/dev/null 2>&1; then return; fi
  change "configuration of the cluster written" pcs cluster cib-push "$cib" "diff-against=$1/old.xml"
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

# has ID: the copy of the CIB has an element with this id.
has() { [ "$dry_run" = no ] && CIB_file=$cib cibadmin --query --xpath "//configuration//*[@id='$1']" >/dev/null 2>&1; }

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
  # The address stays where it is when a node comes back: each move is an interruption.
  edit resource defaults update resource-stickiness=100
}

configure_fencing() {
  local name key options
  [ "${setting[FENCE_AGENT]}" != none ] || return 0
  for name in "${nodes[@]}"; do
    key=FENCE_OPTIONS_$name
    read -r -a options <<<"${setting[FENCE_OPTIONS]} ${setting[$key]:-} pcmk_host_list=$name"
    if has "fence-$name"; then
      edit stonith update "fence-$name" "${options[@]}"
      continue
    fi
    edit stonith create "fence-$name" "${setting[FENCE_AGENT]}" "${options[@]}" \
      op monitor "interval=${setting[FENCE_MONITOR]}s"
    # A node does not hold the switch of its own power.
    edit constraint location "fence-$name" avoids "$name"
  done
}

configure_database() {
  local name address=() map=() parameters
  for name in "${nodes[@]}"; do
    address+=("${node_address[$name]}")
    map+=("$name:${node_address[$name]}")
  done
  # By address, so that nothing depends on a name server that may be as dead as the node.
  parameters=("wsrep_cluster_address=gcomm://$(IFS=,; echo "${address[*]}")" "cluster_host_map=$(IFS=';'; echo "${map[*]}")")
  if has galera; then
    edit resource update galera "${parameters[@]}"
    return
  fi
  # migration-threshold, failure-timeout: a database that fails three times in a row
  # rests for two minutes and is then tried again, without an operator.
  edit resource create galera ocf:holdfast:galera "${parameters[@]}" \
    op start timeout=120s op stop timeout=120s op demote timeout=120s \
    op promote "timeout=${setting[PROMOTE_TIMEOUT]}s" \
    op monitor "interval=${setting[DATABASE_MONITOR]}s" timeout=30s role=Promoted \
    op monitor "interval=$((setting[DATABASE_MONITOR] + 8))s" timeout=30s role=Unpromoted \
    meta migration-threshold=3 failure-timeout=120s \
    promotable "promoted-max=${#nodes[@]}" "clone-max=${#nodes[@]}" interleave=true
}

configure_address() {
  local parameters=("ip=${setting[ADDRESS]}" "cidr_netmask=${setting[ADDRESS_PREFIX]}")
  [ -z "${setting[ADDRESS_INTERFACE]}" ] || parameters+=("nic=${setting[ADDRESS_INTERFACE]}")
  if has vip; then
    edit resource update vip "${parameters[@]}"
    return
  fi
  # requires=quorum: the address may move before the fencing of its dead node is
  # confirmed. The data do not depend on it, because Galera's own quorum decides who
  # may write; and the dead node is fenced all the same.
  edit resource create vip ocf:holdfast:IPaddr2 "${parameters[@]}" \
    op start timeout=20s op stop timeout=20s op monitor "interval=${setting[ADDRESS_MONITOR]}s" timeout=20s \
    meta requires=quorum
}

configure_constraints() {
  has vip-with-database ||
    edit constraint colocation add vip with Promoted galera-clone INFINITY id=vip-with-database
  has vip-after-database ||
    edit constraint order promote galera-clone 'then' start vip id=vip-after-database
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

wait_converged() { wait_until $converge_limit 'the database on every node and the address' converged; }

converged() {
  local place name
  place=$(crm_resource --resource galera-clone --locate 2>/dev/null) || place=''
  for name in "${nodes[@]}"; do
    grep -Eq "is running on: $name (Promoted|Master)" <<<"$place" || { seen="the database is not promoted on $name"; return 1; }
  done
  crm_resource --resource vip --locate 2>/dev/null | grep -q 'is running on:' || { seen="the address ${setting[ADDRESS]} is not up"; return 1; }
}
