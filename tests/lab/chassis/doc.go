// Package chassis is the machine room of the lab in one process: it holds the nodes' file systems and network, boots the nodes with
// systemd-nspawn, and is their power switch.
//
// The process runs in mount, network and PID namespaces of its own, and is the first process of the last. So whatever ends it, kill -9
// included, the kernel ends every node with it and takes the mounts and the network away: nothing on the host has to be undone.
//
// Building the image, installing packages, and what the nodes do with their power are not its business.
package chassis
