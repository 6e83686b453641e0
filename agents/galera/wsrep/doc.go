// Package wsrep reads and writes what Galera leaves behind to tell how far a node
// got: grastate.dat, and the "Recovered position" line of a server started with
// --wsrep-recover; and it knows a gvwstate.dat that is whole.
//
// Sources: galera/src/saved_state.cpp of Galera 26.4 for grastate.dat,
// gcomm/src/view.cpp for gvwstate.dat;
// sql/wsrep_mysqld.cc (wsrep_recover) of MariaDB 10.11 for the line.
//
// Not its business: files and processes, and what follows from a position.
package wsrep
