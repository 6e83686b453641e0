package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// key is the same for two events that tell the same. What came from the CIB is
// identified by its version, because its time is that of its arrival.
func (e Event) key() string {
	f := []any{e.Kind, e.Source, e.Observer, e.Node, e.CIB, e.Ring, e.Op.Resource, e.Op.Action, e.Op.Key, e.Op.Magic, e.Fencing.Operation,
		e.Unit.Name, e.Unit.PID, e.Address.Prefix, e.Change, e.Constraint.ID, e.View, e.Known, e.Initial, e.Transition}
	switch {
	case e.CIB != "" && e.Op.Magic == "" && e.Op.Key == "", e.Ring != "":
	case e.Op.Key != "":
		// The same result may be seen again with a later version, after a blind time.
		f[4] = ""
	case e.Kind == UnitDied, e.Kind == UnitStarted:
	default:
		f = append(f, e.At.Wall.UnixNano(), e.Until.UnixNano())
	}
	return fmt.Sprint(f...)
}

// better says which of two events that tell the same is kept: the better known, then
// the earlier.
func better(a, b Event) bool {
	return cmp.Or(cmp.Compare(a.Basis.rank(), b.Basis.rank()), a.At.Wall.Compare(b.At.Wall)) < 0
}

func (b Basis) rank() int { return slices.Index([]Basis{Measured, Logged, Estimated}, b) }

// worse is what is left of two bases when a time is calculated from both.
func worse(a, b Basis) Basis {
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// version is a CIB version that can be compared; false if there is none.
func (e Event) version() (v [3]int, ok bool) {
	parts := strings.Split(e.CIB, ".")
	if len(parts) != len(v) {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

// ordered brings events into the order in which they are understood: by time, those of
// the CIB by version. It does not depend on the order that they are given in.
func ordered(events []Event) []Event {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b Event) int {
		other := boolean(a.Kind != AnotherCluster, b.Kind != AnotherCluster) // what is found is of that one
		return cmp.Or(a.At.Wall.Compare(b.At.Wall), other, cmp.Compare(a.key(), b.key()))
	})
	// Of one moment, and of arrivals that are in no order, the version knows better. A node
	// that left the cluster begins with the CIB on its disk, and counts again from there: it
	// was blind meanwhile.
	begin := 0
	for i, e := range events {
		if e.Kind == Gap && e.Source == FromCIB {
			byVersion(events[begin:i])
			begin = i
		}
	}
	byVersion(events[begin:])
	return events
}

// byVersion brings the news of the CIB into the order of their versions, in the places that
// they have among the rest.
func byVersion(events []Event) {
	var places []int
	var spine []Event
	for i, e := range events {
		if _, ok := e.version(); ok && !e.Initial && (e.Basis == Measured || e.Op.Late > 0) {
			places, spine = append(places, i), append(spine, e)
		}
	}
	slices.SortStableFunc(spine, func(a, b Event) int {
		x, _ := a.version()
		y, _ := b.version()
		return slices.Compare(x[:], y[:])
	})
	for i, p := range places {
		events[p] = spine[i]
	}
}
