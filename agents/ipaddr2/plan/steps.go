package plan

import "net/netip"

// Step is one change to the machine's addresses.
type Step struct {
	Kind    Kind
	Address Address // of Add and Remove
	Link    string  // of SetUp
}

// Kind of a step.
type Kind string

// What a step does.
const (
	Remove Kind = "remove"
	Add    Kind = "add"
	SetUp  Kind = "set up"
)

// Served says whether the address is where it belongs and fit for use: the right
// link, the right prefix, and no other machine known to have it.
func Served(place Place, n Network) bool {
	for _, a := range n.Having(place.Prefix.Addr()) {
		if a.Link == place.Link.Name && a.Prefix == place.Prefix && !a.DADFailed {
			return true
		}
	}
	return false
}

// Start is what brings the address to its place. An instance of it on the same link
// with another prefix, or one that failed duplicate address detection, goes first: the
// kernel would refuse a second one. Other links are left alone; what an operator put
// there (on lo, for a load balancer) is not ours.
func Start(place Place, label string, n Network) []Step {
	var steps []Step
	if Served(place, n) {
		return nil
	}
	for _, a := range n.Having(place.Prefix.Addr()) {
		if a.Link == place.Link.Name {
			steps = append(steps, Step{Kind: Remove, Address: a})
		}
	}
	add := Address{Prefix: place.Prefix, Link: place.Link.Name, Label: label, Broadcast: place.Broadcast}
	steps = append(steps, Step{Kind: Add, Address: add})
	if !place.Link.Up {
		steps = append(steps, Step{Kind: SetUp, Link: place.Link.Name})
	}
	return steps
}

// Stop is what takes the address away: from every interface, whatever its prefix,
// because a stop that trusts its parameters or the routes leaves the address behind
// when they have changed. Only an address on a loopback link stays, unless the
// operator named that link: there it is not reachable from outside, and a load
// balancer's real server needs it.
func Stop(ip netip.Addr, link string, n Network) []Step {
	var steps []Step
	for _, a := range n.Having(ip) {
		l, ok := n.Link(a.Link)
		if ok && l.Loopback && !ip.IsLoopback() && (link == "" || !l.Called(link)) {
			continue
		}
		steps = append(steps, Step{Kind: Remove, Address: a})
	}
	return steps
}
