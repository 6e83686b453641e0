package metrics

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"holdfast/crmbridge/incident"
)

// bounds are the upper bounds of the histogram's buckets, in seconds: from an operation
// on an address to a database that is copied anew.
func bounds() []float64 {
	return []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
}

// remembered is how many incidents are known to have been counted; older ones are not
// written again.
const remembered = 1000

// Set is all metrics. It may be used by several goroutines.
type Set struct {
	mu           sync.Mutex
	version      string
	incidents    map[labels]float64
	away         map[labels]float64
	phases       map[labels]*histogram
	last         float64 // when the newest incident ended, in seconds
	open         map[string]bool
	blind        map[incident.Source]bool
	counted      []string
	observations uint64
}

// labels are the values of up to three labels.
type labels [3]string

type histogram struct {
	buckets []uint64
	sum     float64
	count   uint64
}

// New makes an empty set.
func New(version string) *Set {
	return &Set{
		version: version, incidents: map[labels]float64{}, away: map[labels]float64{}, phases: map[labels]*histogram{},
		open: map[string]bool{}, blind: map[incident.Source]bool{},
	}
}

// Event counts an event.
func (s *Set) Event(e incident.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observations++
	if e.Kind == incident.Gap && e.Source != incident.FromTracker {
		s.blind[e.Source] = e.Until.IsZero()
	}
}

// Record counts an incident, once it is over.
func (s *Set) Record(r incident.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Open {
		s.open[r.ID] = true
		return
	}
	delete(s.open, r.ID)
	if slices.Contains(s.counted, r.ID) {
		return
	}
	if s.counted = append(s.counted, r.ID); len(s.counted) > remembered {
		s.counted = s.counted[1:]
	}
	cause, planned := string(r.Cause.Kind), strconv.FormatBool(r.Planned)
	s.incidents[labels{cause, planned, string(r.Outcome)}]++
	s.away[labels{cause, planned}] += r.Interruption.Seconds()
	s.last = max(s.last, float64(r.End.At.UnixMilli())/1000)
	for _, p := range r.Phases {
		if p.Name != incident.PhaseUnfinished {
			s.phase(labels{string(p.Name), cause, string(p.Basis)}, p.Duration)
		}
	}
}

func (s *Set) phase(l labels, d time.Duration) {
	h := s.phases[l]
	if h == nil {
		h = &histogram{buckets: make([]uint64, len(bounds()))}
		s.phases[l] = h
	}
	for i, bound := range bounds() {
		if d.Seconds() <= bound {
			h.buckets[i]++
		}
	}
	h.sum += d.Seconds()
	h.count++
}

// WriteTo writes all metrics.
func (s *Set) WriteTo(w io.Writer) (int64, error) {
	s.mu.Lock()
	var b bytes.Buffer
	p := page{&b}
	p.family("ha_cluster_crmbridge_info", "gauge", "The version of crmbridge, always 1.")
	p.sample("ha_cluster_crmbridge_info", []string{"version"}, labels{s.version}, 1)
	p.family("ha_cluster_crmbridge_events_total", "counter", "Number of events that crmbridge was told of since it began.")
	p.sample("ha_cluster_crmbridge_events_total", nil, labels{}, float64(s.observations))
	p.family("ha_cluster_crmbridge_source_blind", "gauge", "Whether a source of events says nothing now, 1 for yes.")
	for _, source := range slices.Sorted(maps.Keys(s.blind)) {
		p.sample("ha_cluster_crmbridge_source_blind", []string{"source"}, labels{string(source)}, map[bool]float64{true: 1}[s.blind[source]])
	}
	p.family("ha_cluster_incidents_open", "gauge", "Number of incidents that are not over.")
	p.sample("ha_cluster_incidents_open", nil, labels{}, float64(len(s.open)))
	p.family("ha_cluster_incidents_total", "counter", "Number of incidents that are over, by cause, whether planned, and what became of the service.")
	p.samples("ha_cluster_incidents_total", []string{"cause", "planned", "outcome"}, s.incidents)
	p.family("ha_cluster_interruption_seconds_total", "counter", "Time for which the service was away, by cause and whether planned.")
	p.samples("ha_cluster_interruption_seconds_total", []string{"cause", "planned"}, s.away)
	p.family("ha_cluster_incident_last_end", "gauge", "When the newest incident ended, as Unix time; 0 if there was none.")
	p.sample("ha_cluster_incident_last_end", nil, labels{}, s.last)
	p.family("ha_cluster_incident_phase_seconds", "histogram", "How long the phases of incidents took, by phase, cause, and how it is known.")
	for _, l := range sorted(s.phases) {
		p.histogram("ha_cluster_incident_phase_seconds", []string{"phase", "cause", "basis"}, l, s.phases[l])
	}
	s.mu.Unlock()
	return b.WriteTo(w)
}

// page writes the text format.
type page struct{ b *bytes.Buffer }

func (p page) family(name, kind, help string) {
	fmt.Fprintf(p.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (p page) samples(name string, names []string, values map[labels]float64) {
	for _, l := range sorted(values) {
		p.sample(name, names, l, values[l])
	}
}

func (p page) sample(name string, names []string, l labels, value float64, more ...string) {
	var pairs []string
	for i, n := range names {
		pairs = append(pairs, n+`="`+escape(l[i])+`"`)
	}
	pairs = append(pairs, more...)
	if len(pairs) > 0 {
		name += "{" + strings.Join(pairs, ",") + "}"
	}
	fmt.Fprintf(p.b, "%s %s\n", name, strconv.FormatFloat(value, 'g', -1, 64))
}

func (p page) histogram(name string, names []string, l labels, h *histogram) {
	for i, bound := range bounds() {
		p.sample(name+"_bucket", names, l, float64(h.buckets[i]), `le="`+strconv.FormatFloat(bound, 'g', -1, 64)+`"`)
	}
	p.sample(name+"_bucket", names, l, float64(h.count), `le="+Inf"`)
	p.sample(name+"_sum", names, l, h.sum)
	p.sample(name+"_count", names, l, float64(h.count))
}

// escape is a label's value as the format wants it.
func escape(value string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(value)
}

func sorted[V any](m map[labels]V) []labels {
	return slices.SortedFunc(maps.Keys(m), func(a, b labels) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]), cmp.Compare(a[2], b[2]))
	})
}
