// Package bootstrap decides which node of a stopped Galera cluster may bootstrap
// it: the one question whose wrong answer loses committed transactions or makes
// two clusters of one.
//
// It is a pure function of what the nodes reported. DESIGN.md has the argument
// for every rule; testdata holds the scenarios it is held to.
//
// Not its business: how a position is found out, where reports are kept, and the
// bootstrap itself.
package bootstrap
