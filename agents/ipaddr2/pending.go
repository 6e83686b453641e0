package main

import (
	"fmt"
	"time"
)

// pending are announcements that are still to be sent after a start.
type pending struct {
	now  int       // at the next opportunity: the rest of the first burst
	late int       // the second burst,
	at   time.Time // not before this
}

func (p pending) none() bool { return p.now <= 0 && p.late <= 0 }

// due is how many announcements to send at the given time, and what is then left.
func (p pending) due(now time.Time) (send int, left pending) {
	send = max(p.now, 0)
	if p.late <= 0 {
		return send, pending{}
	}
	if now.Before(p.at) {
		return send, pending{late: p.late, at: p.at}
	}
	return send + p.late, pending{}
}

// String is the form that is kept in a file.
func (p pending) String() string {
	return fmt.Sprintf("%d %d %d\n", p.now, p.late, p.at.Unix())
}

// parsePending reads what String wrote. Of a file torn by a crash nothing is pending:
// announcements are lost, nothing else.
func parsePending(s string) pending {
	var p pending
	var at int64
	if n, err := fmt.Sscanf(s, "%d %d %d\n", &p.now, &p.late, &at); err != nil || n != 3 {
		return pending{}
	}
	// A file that somebody wrote must not make a monitor announce for ever.
	const most = 100
	p.now, p.late, p.at = min(max(p.now, 0), most), min(max(p.late, 0), most), time.Unix(at, 0)
	return p
}
