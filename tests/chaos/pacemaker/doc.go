// Package pacemaker reads what crm_mon says of a cluster and tells whether it is
// clean: nothing missing, failed, on standby or unmanaged.
//
// Not its business: running crm_mon, and changing anything.
package pacemaker
