# holdfast-cluster prepare: one node. Sourced by holdfast-cluster.
# shellcheck shell=bash

readonly database_config=/etc/mysql/mariadb.conf.d/70-holdfast-galera.cnf
readonly corosync_config=/etc/corosync/corosync.conf

# write_file FILE TEXT: readable by all; nothing in it is secret.
write_file() { install -m 0644 /dev/stdin "$1" <<<"$2"; }

prepare() {
  local name
  name=$(uname -n)
  [ -n "${node_address[$name]:-}" ] ||
    bad_setting 'this machine is called %s, which is not in NODES=%s; correct NODES or the host name' "$name" "${setting[NODES]}"
  require_packages
  release_default_cluster
  hand_over_database
  install_database_config "$name"
  if ! systemctl is-enabled --quiet pcsd.service || ! systemctl is-active --quiet pcsd.service; then
    change "pcsd enabled and started" systemctl enable --now pcsd.service
  fi
  summary "prepared $name"
}

require_packages() {
  local command package
  while read -r command package; do
    command -v "$command" >/dev/null 2>&1 || [ -e "$command" ] ||
      die "%s is missing; apt-get install %s" "$command" "$package"
  done <<'END'
pcs pcs
corosync corosync
crm_mon pacemaker-cli-utils
mariadbd mariadb-server
/usr/lib/galera/libgalera_smm.so galera-4
/usr/lib/ocf/resource.d/holdfast/galera holdfast-agents
END
}

# Debian starts a one-node cluster of its own when Corosync is installed. pcs would
# take it for somebody's, so it goes; any other cluster stays.
release_default_cluster() {
  [ -e "$corosync_config" ] || return 0
  is_default_cluster || return 0
  change "Debian's default one-node cluster removed" pcs cluster destroy
}

is_default_cluster() {
  grep -Eq '^[[:space:]]*cluster_name:[[:space:]]*debian[[:space:]]*$' "$corosync_config" &&
    grep -Eq '^[[:space:]]*ring0_addr:[[:space:]]*127\.0\.0\.1[[:space:]]*$' "$corosync_config"
}

# Pacemaker owns the database: systemd must not start it at boot. One that Pacemaker
# already runs is left alone.
hand_over_database() {
  if systemctl is-enabled --quiet mariadb.service 2>/dev/null; then
    change "mariadb.service disabled: Pacemaker starts it" systemctl disable --quiet mariadb.service
  fi
  if systemctl is-active --quiet mariadb.service && ! systemctl is-active --quiet pacemaker.service; then
    change "mariadb.service stopped" systemctl stop mariadb.service
  fi
}

install_database_config() {
  local name=$1 text addresses=() n
  for n in "${nodes[@]}"; do addresses+=("${node_address[$n]}"); done
  text=$(sed -e "s/@CLUSTER_NAME@/${setting[CLUSTER_NAME]}/g" -e "s/@NODE_NAME@/$name/g" \
    -e "s/@NODE_ADDRESS@/${node_address[$name]}/g" -e "s/@ADDRESSES@/$(IFS=,; echo "${addresses[*]}")/g" \
    "$share/mariadb/70-holdfast-galera.cnf")
  [ ! -e "$database_config" ] || [ "$(cat "$database_config")" != "$text" ] || return 0
  if [ -e "$database_config" ]; then
    change "the old $database_config is now $database_config.old" mv "$database_config" "$database_config.old"
  fi
  change "$database_config written; a database that runs reads it when it is started again" \
    write_file "$database_config" "$text"
}
