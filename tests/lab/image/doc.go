// Package image builds and caches the node image: the unpacked tree of a fresh Debian machine with the cluster's packages.
//
// What makes two nodes differ (host name, addresses, keys) is not its business: that is written when a node is put into the chassis.
package image
