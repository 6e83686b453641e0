// Package load is an open-loop schedule: one operation per interval, each started
// at a time that was fixed when the run began, whatever the earlier ones do.
//
// A closed loop (send, wait, send) stops measuring while the service is slow and
// then reports one slow answer where hundreds of clients would have suffered.
// Here a slow answer delays nothing. What bounds the client is the number of
// operations in flight: at the bound an operation is not started and counts as
// failed, it is never postponed.
//
// Not its business: what the operation does and what its answer means.
package load
