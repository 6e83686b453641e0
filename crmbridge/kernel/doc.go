// Package kernel tells what the kernel knows first: which addresses this machine has,
// how far its clock can be trusted, and when somebody sets it.
//
// [Addresses] comes over rtnetlink, the moment an address is on an interface or off it.
// [ReadClock] is adjtimex(2), and [Steps] a timer of timerfd_create(2) that the kernel
// cancels when the clock jumps. Nothing is polled.
//
// Not its business: changing an address or the clock.
package kernel
