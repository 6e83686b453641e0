package outage_test

import (
	"reflect"
	"testing"
	"time"

	"holdfast/tests/chaos/outage"
)

func TestWatch(t *testing.T) {
	const ms, threshold = time.Millisecond, 100 * time.Millisecond
	served := func(w *outage.Watch, from, to time.Duration) {
		for at := from; at <= to; at += 10 * ms {
			w.Answer(at)
		}
	}
	for _, test := range []struct {
		name       string
		see        func(w *outage.Watch)
		end        time.Duration
		want       []outage.Gap
		unmeasured time.Duration
	}{
		{"nothing happens", func(w *outage.Watch) { served(w, 10*ms, 5000*ms) }, 5000 * ms, nil, 0},
		{"away for a second", func(w *outage.Watch) {
			served(w, 10*ms, 1000*ms)
			w.Failure()
			served(w, 2000*ms, 3000*ms)
		}, 3000 * ms, []outage.Gap{{From: 1000 * ms, To: 2000 * ms}}, 0},
		{"blocked and released: nothing failed, but nobody was held up here", func(w *outage.Watch) {
			served(w, 10*ms, 1000*ms)
			served(w, 2000*ms, 3000*ms)
		}, 3000 * ms, []outage.Gap{{From: 1000 * ms, To: 2000 * ms}}, 0},
		{"not back", func(w *outage.Watch) { served(w, 10*ms, 1000*ms); w.Failure() }, 3000 * ms,
			[]outage.Gap{{From: 1000 * ms, To: 3000 * ms, Open: true}}, 0},
		{"flapping counts as one", func(w *outage.Watch) {
			served(w, 10*ms, 1000*ms)
			w.Failure()
			served(w, 1500*ms, 1550*ms)
			w.Failure()
			served(w, 2000*ms, 3000*ms)
		}, 3000 * ms, []outage.Gap{{From: 1000 * ms, To: 2000 * ms}}, 0},
		{"the observer was held up and nothing failed", func(w *outage.Watch) {
			served(w, 10*ms, 1000*ms)
			w.Late(1010*ms, 1990*ms)
			served(w, 2000*ms, 3000*ms)
		}, 3000 * ms, nil, 1000 * ms},
		{"the observer was held up, but something failed before", func(w *outage.Watch) {
			served(w, 10*ms, 1000*ms)
			w.Failure()
			w.Late(1510*ms, 1990*ms)
			served(w, 2000*ms, 3000*ms)
		}, 3000 * ms, []outage.Gap{{From: 1000 * ms, To: 2000 * ms}}, 0},
		{"the observer was held up for a part only", func(w *outage.Watch) {
			served(w, 10*ms, 1000*ms)
			w.Late(1310*ms, 1990*ms)
			served(w, 2000*ms, 3000*ms)
		}, 3000 * ms, []outage.Gap{{From: 1000 * ms, To: 2000 * ms}}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := outage.Watch{Threshold: threshold}
			test.see(&w)
			got, unmeasured := w.Seen(test.end)
			if !reflect.DeepEqual(got, test.want) || unmeasured != test.unmeasured {
				t.Errorf("got %v and %v unmeasured, want %v and %v", got, unmeasured, test.want, test.unmeasured)
			}
		})
	}
}
