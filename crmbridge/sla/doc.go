// Package sla holds the records of incidents against an objective of availability: how
// long the service was away in a window of time, how much of the error budget that is,
// how often and why, how fast it was noticed and repaired.
//
// The error budget is the time that the service may be away within the window: window x
// (1 - objective), so 21m36s of 30d at 99.95% ("Site Reliability Engineering", O'Reilly
// 2016, chapters 3 and 4). MTTD is the mean time from occurrence to detection, MTTR from
// occurrence to the return of the service: the sense that Regulation (EU) 2024/1772,
// article 3, gives to the duration of an incident.
//
// What nobody watched is never counted as good: a verdict that would differ if the
// service had been away then is [Unknown].
//
// Not its business: the clock, reading records, exit statuses and printing.
package sla
