// Package power is the lab's power switch as the outside sees it: a small Redfish service, spoken over HTTP, that Debian's unmodified
// fence_redfish can drive. It knows the protocol only.
//
// How a machine's power is really cut or restored is not its business: that is the Switch it is given. Neither are listening, TLS
// configuration of the listener, and the log of power actions.
package power
