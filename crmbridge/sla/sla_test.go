package sla

import (
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
)

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// failover is an incident that began some time ago.
func failover(id string, ago, away time.Duration, cause incident.CauseKind) incident.Record {
	begin := now().Add(-ago)
	return incident.Record{
		ID: id, Cause: incident.Cause{Kind: cause}, Planned: cause.Planned(), Outcome: incident.Restored, Interruption: away,
		Begin: incident.Point{At: begin}, End: incident.Point{At: begin.Add(away)},
		Occurrence:  incident.Point{At: begin, Basis: incident.Measured},
		Detection:   incident.Point{At: begin.Add(away / 2)},
		ServiceBack: incident.Point{At: begin.Add(away)},
	}
}

// stopped is an incident after which the service is away.
func stopped(id string, ago time.Duration, cause incident.CauseKind, outcome incident.Outcome) incident.Record {
	r := failover(id, ago, 0, cause)
	r.ServiceBack, r.Detection, r.Outcome = incident.Point{}, incident.Point{}, outcome
	return r
}

func always() []Span { return []Span{{now().Add(-365 * day), now()}} }

func TestJudge(t *testing.T) {
	terms := Terms{Objective: 999_500_000, Window: 30 * day} // 21m36s
	for _, c := range []struct {
		name    string
		terms   Terms
		records []incident.Record
		watched []Span
		want    Outcome
		down    time.Duration
		says    string
	}{
		{"nothing happened", terms, nil, always(), Met, 0, "0s of the 21m36s that 99.95% allows in 30d."},
		{"within the budget", terms, []incident.Record{failover("a", day, 20*time.Minute, incident.NodeLost)}, always(), Met, 20 * time.Minute, "20m0s"},
		{"more than the budget", terms, []incident.Record{failover("a", day, 22*time.Minute, incident.NodeLost)}, always(), Breached, 22 * time.Minute, "22m0s"},
		{"before the window", terms, []incident.Record{failover("a", 31*day, 22*time.Minute, incident.NodeLost)}, always(), Met, 0, "0s"},
		{"half in the window", terms, []incident.Record{failover("a", 30*day+10*time.Minute, 22*time.Minute, incident.NodeLost)}, always(), Met, 12 * time.Minute, ""},
		{"planned counts", terms, []incident.Record{failover("a", day, 22*time.Minute, incident.NodeStandby)}, always(), Breached, 22 * time.Minute, ""},
		{"planned is left out", Terms{terms.Objective, terms.Window, true}, []incident.Record{failover("a", day, 22*time.Minute, incident.NodeStandby)}, always(), Met, 22 * time.Minute, ""},
		{"overlaps count once", terms, []incident.Record{failover("a", day, 15*time.Minute, incident.NodeLost), failover("b", day, 15*time.Minute, incident.DatabaseDied)}, always(), Met, 15 * time.Minute, ""},
		{"away now", terms, []incident.Record{stopped("a", time.Minute, incident.NodeLost, incident.Down)}, always(), Unknown, time.Minute, "away now"},
		{"stopped, then started", terms, []incident.Record{
			stopped("a", time.Hour, incident.Stopped, incident.Halted), failover("b", 50*time.Minute, 0, incident.Started),
		}, always(), Met, 10 * time.Minute, ""},
		{"the other side of a cut", terms, []incident.Record{lostNode(), cutOff()}, always(), Met, time.Second, ""},
		{"nobody watched", terms, nil, nil, Unknown, 0, "Nobody watched"},
		{"watched for a day only", terms, nil, []Span{{now().Add(-day), now()}}, Met, 0, "met so far"},
		{"a hole", terms, nil, []Span{{now().Add(-40 * day), now().Add(-10 * day)}, {now().Add(-9 * day), now()}}, Unknown, 0, "24h0m0s nobody watched"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(c.terms, c.records, c.watched, now())
			if v.Outcome != c.want || v.Down != c.down || !strings.Contains(v.Reason, c.says) {
				t.Errorf("%s, away for %v: %s; want %s, %v, with %q", v.Outcome, v.Down, v.Reason, c.want, c.down, c.says)
			}
		})
	}
}

func lostNode() incident.Record {
	r := failover("a", day, time.Second, incident.NodeLost)
	r.Cause.Node = "db3"
	return r
}

func cutOff() incident.Record {
	r := stopped("b", day-time.Millisecond, incident.QuorumGone, incident.Halted)
	r.Cause.Node = "db3"
	return r
}

func TestMeans(t *testing.T) {
	guess := failover("c", 3*time.Hour, 4*time.Second, incident.NodeLost)
	guess.Occurrence.Basis, guess.Occurrence.At = incident.Estimated, guess.Detection.At
	v := Judge(Terms{Objective: 999_000_000, Window: day}, []incident.Record{
		failover("a", time.Hour, 2*time.Second, incident.DatabaseDied), failover("b", 2*time.Hour, 6*time.Second, incident.DatabaseDied), guess,
		failover("d", time.Minute, time.Second, incident.ResourceMoved),
	}, always(), now())
	if want := (Mean{Mean: 2 * time.Second, Of: 2}); v.MTTD != want {
		t.Errorf("MTTD %+v, want %+v", v.MTTD, want)
	}
	if want := (Mean{Mean: 4 * time.Second, Of: 3, Estimated: 1}); v.MTTR != want {
		t.Errorf("MTTR %+v, want %+v", v.MTTR, want)
	}
	if v.Failovers != 3 || v.Planned != 1 || v.Longest != 6*time.Second || len(v.Causes) != 3 || v.Causes[0].Cause != incident.DatabaseDied {
		t.Errorf("failovers %d, planned %d, longest %v, causes %+v", v.Failovers, v.Planned, v.Longest, v.Causes)
	}
}

func FuzzParseObjective(f *testing.F) {
	for _, s := range []string{"99.95%", "100%", "50%", "99.9999999%", "9.%", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseObjective(s)
		if err != nil {
			return
		}
		if again, err := ParseObjective(o.String()); err != nil || again != o {
			t.Errorf("%q is %s, which is %v, %v", s, o, again, err)
		}
		if b := o.Budget(30 * day); b < 0 || b > 15*day {
			t.Errorf("%s allows %v of 30d", o, b)
		}
	})
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"30d", "4w", "12h", "1m", "0d", "999999999d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if w, err := ParseWindow(s); err == nil {
			if again, err := ParseWindow(FormatWindow(w)); err != nil || again != w {
				t.Errorf("%q is %v, which is %v, %v", s, w, again, err)
			}
		}
	})
}
