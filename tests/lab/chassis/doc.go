// Package chassis is the machine room of the lab in one process: it holds the nodes' file systems and network, boots the nodes with
// systemd-nspawn, and is their power switch.
//
// The process runs in mount, network and PID namespaces of its own, and is the first process of the last. So whatever ends it, kill -9
// included, the kernel ends every node with it and takes the mounts and the network away: nothing on the host has to be undone. The one
// exception is a data disk that was frozen when the chassis was killed: ThawDisks lets it go.
//
// A node's root is an overlay over the image. Its database has a disk of its own, a file with a file system in it, so that it can be
// full or stand still while neither the machine nor the other nodes are.
//
// Building the image, installing packages, and what the nodes do with their power are not its business.
package chassis
