package main

import "holdfast/ocf"

// parameters are those of ocf:heartbeat:galera with the same meaning, so that a
// resource can be moved from the one to the other by changing its type. The
// defaults are Debian's.
func parameters() []ocf.Parameter {
	return append(serverParameters(), clusterParameters()...)
}

func serverParameters() []ocf.Parameter {
	return []ocf.Parameter{
		{Name: "binary", Type: ocf.String, Default: "/usr/sbin/mariadbd", Short: "MariaDB server binary",
			Long: "The server. mysqld_safe and its other names are accepted and stand for /usr/sbin/mariadbd, because systemd does what they did."},
		{Name: "client_binary", Type: ocf.String, Default: "mysql", Short: "MariaDB client binary",
			Long: "Accepted for compatibility and checked to exist if set; the agent speaks to the server itself."},
		{Name: "config", Type: ocf.String, Default: "/etc/mysql/my.cnf", Short: "MariaDB configuration file",
			Long: "Given to the server as --defaults-file."},
		{Name: "datadir", Type: ocf.String, Default: "/var/lib/mysql", Short: "Directory of the databases",
			Long: "Directory of the databases, with Galera's grastate.dat in it."},
		{Name: "user", Type: ocf.String, Default: "mysql", Short: "User that runs the server"},
		{Name: "group", Type: ocf.String, Default: "mysql", Short: "Group that runs the server"},
		{Name: "log", Type: ocf.String, Short: "The server's log file",
			Long: "If set, given to the server as --log-error. If not set, the server logs where its configuration says, on Debian to the journal."},
		{Name: "pid", Type: ocf.String, Default: "/run/mysqld/mysqld.pid", Short: "The server's PID file"},
		{Name: "socket", Type: ocf.String, Default: "/run/mysqld/mysqld.sock", Short: "The server's Unix socket",
			Long: "The socket on which the server listens, and on which the agent asks for its state."},
		{Name: "enable_creation", Type: ocf.Boolean, Default: "0", Short: "Create the databases if they do not exist",
			Long: "If datadir has no directory mysql, start runs mariadb-install-db. On Debian the installation of mariadb-server has done so already."},
		{Name: "additional_parameters", Type: ocf.String, Short: "More arguments for the server",
			Long: "Appended to the server's command line; words are split and quoted as a shell does.", Check: checkWords},
	}
}

func clusterParameters() []ocf.Parameter {
	return []ocf.Parameter{
		{Name: "wsrep_cluster_address", Type: ocf.String, Required: true, Short: "set gcomm://node1,node2,node3",
			Long: "The Galera cluster as gcomm://node1,node2,node3: every node that may ever be a member, by the name " +
				"that Pacemaker knows it by (or see cluster_host_map). Ports and ?options are allowed.", Check: checkAddress},
		{Name: "cluster_host_map", Type: ocf.String, Short: "Pacemaker's node names to Galera's",
			Long:  "pcmk1:galera1;pcmk2:galera2 if Galera knows the nodes by other names or by addresses.",
			Check: checkHostMap},
		{Name: "check_user", Type: ocf.String, Short: "User for the monitor",
			Long: "The database user that asks for the server's state. Default: MYSQL_USERNAME of /etc/sysconfig/clustercheck " +
				"or /etc/default/clustercheck, else root, which Debian lets in over the socket."},
		{Name: "check_passwd", Type: ocf.String, Secret: true, Short: "Password of check_user",
			Long: "Default: MYSQL_PASSWORD of the clustercheck file."},
		{Name: "check_passwd_use_empty", Type: ocf.Boolean, Default: "0", Short: "Use an empty password for check_user"},
		{Name: "two_node_mode", Type: ocf.Boolean, Default: "false", Short: "Let a two-node cluster recover from a split",
			Long: "In a cluster of exactly two nodes: a node whose database was interrupted (it crashed, or lost its power) goes on " +
				"alone when the other one is gone, fenced or stopped. A node that had left in order waits for the other all the same, " +
				"because the other may have gone on without it."},
	}
}
