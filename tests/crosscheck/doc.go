// Crosscheck lays what crmbridge recorded of a campaign beside what the monitor measured of it
// from outside, and says how far the two agree.
//
//	crosscheck [--limit 50ms] [--lag 2s] [--output text|json] DIR
//
// DIR is a campaign's output (build/chaos): repetitions/*.json.gz are the monitor's, and
// bridge/*/db*.json the nodes' journals. It ends with 0 if everything agrees within the limits,
// 1 if something does not, and 2 if that could not be found out.
//
// Not its business: to measure anything, and to decide which of the two is right.
package main
