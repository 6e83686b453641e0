//go:build lab

package pacemaker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/cib"
)

// TestNodeLatency measures how long after Pacemaker's own log of a result we have it as
// a value, and what each look costs those who poll instead.
func TestNodeLatency(t *testing.T) {
	const cycles, resource = 20, "bridge-latency"
	node := command(t, "crm_node", "--name")
	command(t, "pcs", "resource", "create", resource, "ocf:pacemaker:Dummy", "op", "monitor", "interval=60s")
	t.Cleanup(func() {
		if out, err := exec.Command("pcs", "resource", "delete", "--force", resource).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	command(t, "pcs", "constraint", "location", resource, "prefers", node)
	command(t, "crm_resource", "--wait", "--timeout", "100")
	since := time.Now()
	follower, s := follow(t, dial(t, ServiceCIB))
	document, err := cib.New(s.CIB)
	if err != nil {
		t.Fatal(err)
	}
	var arrivals []arrival
	for i := range cycles {
		role := []string{"Stopped", "Started"}[i%2]
		command(t, "crm_resource", "--resource", resource, "--meta", "--set-parameter", "target-role", "--parameter-value", role)
		arrivals = append(arrivals, untilResult(t, follower, document, resource, []string{"stop", "start"}[i%2]))
	}
	said := results(t, since, resource)
	var late []time.Duration
	for i, a := range arrivals {
		if i < len(said) && said[i].action == a.action {
			late = append(late, a.at.Sub(said[i].at))
		}
	}
	if len(late) < cycles*9/10 {
		t.Fatalf("%d results in our order, %d in Pacemaker's log, %d together", len(arrivals), len(said), len(late))
	}
	t.Logf("after Pacemaker's log of a result, ours: %s", spread(late))
	for _, poll := range [][]string{{"cibadmin", "--query"}, {"crm_mon", "-1", "--output-as=xml"}} {
		var took []time.Duration
		for range cycles {
			begin := time.Now()
			xml := command(t, poll[0], poll[1:]...)
			if poll[0] == "cibadmin" {
				d, err := cib.Parse([]byte(xml))
				if err != nil {
					t.Fatal(err)
				}
				d.State()
			}
			took = append(took, time.Since(begin))
		}
		t.Logf("one look by %s: %s", poll[0], spread(took))
	}
}

// arrival is a result of an operation, when it was known.
type arrival struct {
	action string
	at     time.Time
}

func untilResult(t *testing.T, follower *CIB, document *cib.Document, resource, action string) arrival {
	t.Helper()
	for {
		p, err := follower.Next(deadline(t, patience))
		if err != nil {
			t.Fatal(err)
		}
		changes, err := document.Apply(p.Diff)
		if err != nil {
			t.Fatal(err)
		}
		known := time.Now()
		for _, c := range changes {
			if o, ok := c.After.(cib.Operation); ok && o.Resource == resource && o.Action == action && !o.Pending() && o.RC == 0 {
				return arrival{action, known}
			}
		}
	}
}

// results are what the controller of this node logged, in its order.
func results(t *testing.T, since time.Time, resource string) []arrival {
	t.Helper()
	command(t, "journalctl", "--sync")
	out := command(t, "journalctl", "--identifier=pacemaker-controld", "--output=json", "--quiet", fmt.Sprintf("--since=@%d", since.Unix()))
	var all []arrival
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		var l struct {
			Message string `json:"MESSAGE"`
			At      string `json:"_SOURCE_REALTIME_TIMESTAMP"`
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		us, err := strconv.ParseInt(l.At, 10, 64)
		if err != nil || !strings.Contains(l.Message, "Result of ") || !strings.Contains(l.Message, " for "+resource+" on ") {
			continue
		}
		action := strings.Fields(l.Message[strings.Index(l.Message, "Result of "):])[2]
		if at := time.UnixMicro(us); at.After(since) && (action == "start" || action == "stop") {
			all = append(all, arrival{action, at})
		}
	}
	return all
}

// spread is the median and the largest of some durations.
func spread(d []time.Duration) string {
	slices.Sort(d)
	return fmt.Sprintf("median %v, p99 %v, of %d", d[len(d)/2].Round(10*time.Microsecond), d[len(d)*99/100].Round(10*time.Microsecond), len(d))
}
