// Command galera is the resource agent ocf:holdfast:galera: a MariaDB Galera
// cluster as a promotable clone with every node promoted.
//
// An action (start, promote, ...) is one file. It is written against the
// interfaces in world.go, which speak of servers, positions and attributes; the
// hands behind them (systemd, mariadb, files, host, journal) know D-Bus, SQL and
// paths. Who may bootstrap is decided in the package bootstrap.
//
// Not its business: the floating address, fencing, the server's configuration, and
// anything on another node but its attributes.
package main
