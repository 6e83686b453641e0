package agree

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/crmbridge/incident"
)

// TestPrompt holds that an entry is measured from the line that it belongs to: the same call of the
// same node, in the same life of Pacemaker.
func TestPrompt(t *testing.T) {
	at := time.Date(2026, time.November, 5, 13, 16, 19, 628e6, time.UTC)
	line := func(at time.Time, what string) string {
		return at.Format("Jan _2 15:04:05.000") + " db3 pacemaker-controld  [759] (log_executor_event) \tnotice: Result of " + what
	}
	log := []string{
		line(at.Add(-time.Hour), "stop operation for galera on db3: ok | graph action confirmed; call=41 key=galera_stop_0 rc=0"),
		line(at, "stop operation for galera on db3: ok | CIB update 70, graph action confirmed; call=41 key=galera_stop_0 rc=0"),
		line(at, "monitor operation for galera on db3: error (mariadb.service is deactivating) | CIB update 71; call=42 key=galera_monitor_1000 rc=1"),
		line(at, "start operation for galera on db3: Timed Out after 60s | CIB update 72, graph action confirmed; call=43 key=galera_start_0"),
		"Nov  5 13:16:19.628 db3 pacemaker-attrd     [757] (update_attr_on_host) \tnotice: Setting master-galera[db3]: 100 -> (unset)",
	}
	op := func(observer, action string, call int, initial bool) incident.Event {
		return incident.Event{Kind: incident.OperationEnded, Observer: observer, Node: "db3", Initial: initial,
			Op: incident.Operation{Resource: "galera", Action: action, CallID: call}}
	}
	entries := []struct {
		event incident.Event
		late  time.Duration
	}{
		{op("db3", "stop", 41, false), 12 * time.Millisecond},
		{op("db3", "monitor", 42, false), 30 * time.Millisecond},
		{op("db2", "monitor", 42, false), 31 * time.Millisecond},   // of another node: its log is somewhere else
		{op("db3", "monitor", 42, true), 5 * time.Second},          // found, and not told
		{op("db3", "start", 43, false), 20 * time.Second},          // of another life
		{op("db3", "promote", 44, false), 15 * time.Millisecond},   // never logged
		{op("db3", "monitor", 41, false), 15 * time.Millisecond},   // another operation
		{op("db3", "monitor", 42, false), 9999 * time.Millisecond}, // the same once more, as late as it may be
	}
	var journal strings.Builder
	for _, e := range entries {
		text, err := json.Marshal(e.event)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(map[string]string{"CRMBRIDGE_TYPE": "event", "CRMBRIDGE_NODE": e.event.Observer, "CRMBRIDGE_EVENT": string(text),
			"__REALTIME_TIMESTAMP": fmt.Sprint(at.Add(e.late).UnixMicro())})
		if err != nil {
			t.Fatal(err)
		}
		journal.Write(append(line, '\n'))
	}
	dir := filled(t, map[string]string{"logs/db3/pacemaker.log": strings.Join(log, "\n"), "bridge/1/db3.json": journal.String()})
	var c Campaign
	if err := c.readJournal(filepath.Join(dir, "bridge/1/db3.json")); err != nil {
		t.Fatal(err)
	}
	if err := c.readLogs(dir); err != nil {
		t.Fatal(err)
	}
	want := []time.Duration{12 * time.Millisecond, 30 * time.Millisecond, 9999 * time.Millisecond}
	if !slices.Equal(c.Prompt, want) {
		t.Errorf("got %v, want %v", c.Prompt, want)
	}
	if got := told(c.Prompt); got.N != 3 || got.Median != 30 || got.P99 != 9999 || got.Max != 9999 {
		t.Errorf("got %+v", got)
	}
	if got := told(nil); got != (Told{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
