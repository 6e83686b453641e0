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
  [ "$dry_run" = yes ] || require_packages
  release_default_cluster
  [ ! -e "$corosync_config" ] || [ "$dry_run" = yes ] || own_cluster
  hand_over_database
  install_database_config "$name"
  if ! systemctl is-enabled --quiet pcsd.service || ! systemctl is-active --quiet pcsd.service; then
    change "pcsd enabled and started" systemctl enable --now pcsd.service
  fi
  summary "prepared $name"
}

# What must be on a node, and the package that it comes from.
readonly needed='pcs pcs
corosync corosync
crm_mon pacemaker-cli-utils
mariadbd mariadb-server
/usr/lib/galera/libgalera_smm.so galera-4
/usr/lib/ocf/resource.d/holdfast/galera holdfast-agents'

missing_packages() {
  local file package method=${setting[SST_METHOD]}
  while read -r file package; do
    command -v "$file" >/dev/null 2>&1 || [ -e "$file" ] || printf '%s\n' "$package"
  done <<<"$needed
$method ${sst_package[$method]}"
}

require_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] || die 'not installed: %s; apt-get install %s' "${missing[*]}" "${missing[*]}"
}

# totem NAME: a value of corosync.conf, empty if it is not there.
totem() { sed -nE "s/^[[:space:]]*$1:[[:space:]]*([^[:space:]]+)[[:space:]]*$/\1/p" "$corosync_config" | head -n 1; }

# members: NAME ADDRESS of each node in corosync.conf.
members() {
  awk '$1 == "node" { inside = 1; name = address = "" }
    inside && $1 == "name:" { name = $2 }
    inside && $1 == "ring0_addr:" { address = $2 }
    inside && $1 == "}" { print name, address; inside = 0 }' "$corosync_config"
}

# own_cluster ends the script if this machine belongs to another cluster than ours.
own_cluster() {
  [ "$(totem cluster_name)" = "${setting[CLUSTER_NAME]}" ] ||
    die 'this node belongs to the cluster %s, not to CLUSTER_NAME=%s; correct the setting, or remove that cluster with pcs cluster destroy' \
      "$(totem cluster_name)" "${setting[CLUSTER_NAME]}"
}

# Debian starts a one-node cluster of its own when Corosync is installed. pcs would
# take it for somebody's, so it goes; any other cluster stays.
release_default_cluster() {
  [ -e "$corosync_config" ] || return 0
  is_default_cluster || return 0
  change "Debian's default one-node cluster removed" pcs cluster destroy --force
}

is_default_cluster() {
  [ "$(totem cluster_name)" = debian ] && [ "$(members)" = 'node1 127.0.0.1' ]
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
  local text
  text=$(database_config_for "$1")
  [ ! -e "$database_config" ] || [ "$(cat "$database_config")" != "$text" ] || return 0
  if [ "$dry_run" = yes ]; then
    changes=$((changes + 1))
    printf "cat >%s <<'END'\n%s\nEND\n" "$database_config" "$text"
    return
  fi
  if [ -e "$database_config" ]; then
    change "the old $database_config is now $database_config.old" mv "$database_config" "$database_config.old"
  fi
  change "$database_config written; a database that runs reads it when it is started again" \
    write_file "$database_config" "$text"
}

# database_config_for NODE: the template with this node's values. What is put in was
# checked and holds no character that sed takes for its own.
database_config_for() {
  local suspect=${setting[SUSPECT_TIMEOUT]} addresses=() n
  for n in "${nodes[@]}"; do addresses+=("${node_address[$n]}"); done
  sed -e "s/@CLUSTER_NAME@/${setting[CLUSTER_NAME]}/g" -e "s/@NODE_NAME@/$1/g" \
    -e "s/@NODE_ADDRESS@/${node_address[$1]}/g" -e "s/@ADDRESSES@/$(IFS=,; echo "${addresses[*]}")/g" \
    -e "s/@SUSPECT@/$(period "$suspect")/g" -e "s/@INACTIVE@/$(period $((suspect * 3)))/g" \
    -e "s/@INSTALL@/$(period $((suspect * 2)))/g" \
    -e "s/@KEEPALIVE@/$(period "$(within 100 $((suspect / 5)) 1000)")/g" \
    -e "s/@CHECK@/$(period "$(within 30 $((suspect / 10)) 500)")/g" \
    -e "s/@GCACHE_SIZE@/${setting[GCACHE_SIZE]}/g" -e "s/@SST_METHOD@/${setting[SST_METHOD]}/g" "$share/mariadb/70-holdfast-galera.cnf"
}

# period MILLISECONDS: as Galera writes it, ISO 8601.
period() { printf 'PT%d.%03dS' $(($1 / 1000)) $(($1 % 1000)); }

# within LEAST N MOST
within() {
  local n=$2
  [ "$n" -ge "$1" ] || n=$1
  [ "$n" -le "$3" ] || n=$3
  printf '%d' "$n"
}
