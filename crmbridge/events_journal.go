package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/crmbridge/journalctl"
)

// saying is something that a program says in the journal, and what it means. What a
// program says changes from release to release: a saying that is not understood is
// nothing, and all that must not be missed comes from another source.
type saying struct {
	speaker string
	has     string // a part of it, which is faster found than pattern
	pattern *regexp.Regexp
	means   func(t *translator, found []string) incident.Event
}

// sayings are those of Pacemaker 2.1.5 (lib/pacemaker/pcmk_graph_producer.c and
// pcmk_graph_consumer.c, daemons/controld/controld_fsa.c), Corosync 3.1.7
// (exec/totemsrp.c), knet 1.25 and Galera 26.4 (gcs/src/gcs_group.cpp, gcomm, galera).
func sayings() []saying {
	return []saying{
		{"pacemaker-schedulerd", "saving inputs in", regexp.MustCompile(`Calculated transition (\d+).*, saving inputs in (\S+)`),
			func(t *translator, found []string) incident.Event {
				return incident.Event{Kind: incident.TransitionBegun, Node: t.node, Transition: incident.Transition{Number: number(found[1]), PEInput: found[2]}}
			}},
		{"pacemaker-controld", "(Complete=", regexp.MustCompile(`Transition (\d+) \(.*Source=([^)]*)\): (\w+)`),
			func(t *translator, found []string) incident.Event {
				return incident.Event{Kind: incident.TransitionEnded, Node: t.node,
					Transition: incident.Transition{Number: number(found[1]), PEInput: found[2], Outcome: found[3]}}
			}},
		{"pacemaker-controld", "-> S_IDLE", regexp.MustCompile(`State transition \S+ -> S_IDLE`),
			func(t *translator, _ []string) incident.Event {
				return incident.Event{Kind: incident.ClusterIdle, Node: t.node}
			}},
		{"corosync", "Token has not been received", regexp.MustCompile(`Token has not been received in (\d+) ms`),
			func(t *translator, found []string) incident.Event {
				// The ring broke between the last token and the next one, which the representative
				// holds back for a while (corosync.conf(5), hold).
				broken := number(found[1]) - int(t.corosync.hold.Milliseconds())/2
				return incident.Event{Kind: incident.TokenLost, Node: t.node, Change: incident.Change{Name: "token", Value: fmt.Sprintf("%d ms", broken)}}
			}},
		{"corosync", "[KNET", regexp.MustCompile(`(?:link|rx): host: (\d+) link: \d+ is (up|down)`),
			func(t *translator, found []string) incident.Event {
				kind := incident.LinkUp
				if found[2] == "down" {
					kind = incident.LinkDown
				}
				return incident.Event{Kind: kind, Node: t.corosync.name(uint32(number(found[1])))}
			}},
		{"mariadbd", "WSREP: view(view_id(", regexp.MustCompile(`WSREP: view\(view_id\((?:NON_)?PRIM,([0-9a-f-]+),(\d+)\)`),
			func(t *translator, found []string) incident.Event {
				t.galera = found[1] + ":" + found[2] // told with the component that follows
				return incident.Event{}
			}},
		{"mariadbd", "WSREP: New COMPONENT", regexp.MustCompile(`WSREP: New COMPONENT: primary = (yes|no), .*memb_num = (\d+)`),
			func(t *translator, found []string) incident.Event {
				v := incident.View{Status: "Primary", Members: number(found[2]), ID: t.galera}
				if found[1] == "no" {
					v.Status = "non-Primary"
				}
				t.component = v
				return incident.Event{Kind: incident.ViewChanged, Node: t.node, View: v}
			}},
		// The members have told each other how far they are, and what was written before is applied: a
		// write is certified again from here on (galera/src/replicator_smm.cpp, process_conf_change).
		{"mariadbd", "processing CC", regexp.MustCompile(`WSREP: #+ processing CC \d+, local`),
			func(t *translator, _ []string) incident.Event {
				v := t.component
				if v.Status != "Primary" || v.Applied {
					return incident.Event{}
				}
				v.Applied, t.component.Applied = true, true
				return incident.Event{Kind: incident.ViewChanged, Node: t.node, View: v}
			}},
		{"mariadbd", gcsConfig, regexp.MustCompile(`evs\.inactive_check_period = PT([0-9.]+)S;.* evs\.suspect_timeout = PT([0-9.]+)S;`),
			func(t *translator, found []string) incident.Event {
				t.suspicion = silence(found[2], found[1])
				return incident.Event{}
			}},
		// The first to suspect another member is still operational; who says it while a new view is
		// being gathered looked later.
		{"mariadbd", "suspecting node: ", regexp.MustCompile(`WSREP: evs::proto\(\S+, OPERATIONAL, .*\) suspecting node: \S+`),
			func(t *translator, _ []string) incident.Event {
				return incident.Event{Kind: incident.PeerSuspected, Node: t.node, Change: incident.Change{Name: "silence", Value: t.suspicion}}
			}},
		{"mariadbd", "WSREP: Server status change", regexp.MustCompile(`WSREP: Server status change (\w+) -> (\w)(\w+)`),
			func(t *translator, found []string) incident.Event {
				return incident.Event{Kind: incident.DatabaseChanged, Node: t.node,
					Change: incident.Change{Before: found[1], Value: strings.ToUpper(found[2]) + found[3]}}
			}},
	}
}

// gcsConfig begins what a server says of its settings when it starts.
const gcsConfig = "WSREP: Passing config to GCS: "

// silence is for how long a member had not been heard of when it is suspected: the timeout, and half
// of the time from one look to the next. Both are in seconds; "" is what cannot be read.
func silence(timeout, period string) string {
	t, err := time.ParseDuration(timeout + "s")
	p, err2 := time.ParseDuration(period + "s")
	if err != nil || err2 != nil {
		return ""
	}
	return fmt.Sprintf("%d ms", (t + p/2).Milliseconds())
}

// speakers are who is listened to.
func speakers() []string {
	var all []string
	for _, s := range sayings() {
		if !slices.Contains(all, s.speaker) {
			all = append(all, s.speaker)
		}
	}
	return all
}

// spoken is what an entry of the journal means, at the time that the program said it.
func (t *translator) spoken(o observation, l journalctl.Line) []incident.Event {
	if l.MessageID == probeEntry {
		return t.probed(o, l)
	}
	for _, s := range t.sayings {
		if s.speaker != l.Identifier || !strings.Contains(l.Message, s.has) {
			continue
		}
		found := s.pattern.FindStringSubmatch(l.Message)
		if found == nil {
			continue
		}
		e := s.means(t, found)
		if e.Kind == "" {
			return nil
		}
		e.At = t.thisBoot(l.At, l.Monotonic)
		e.Basis = incident.Logged
		return one(t.event(o, e))
	}
	return nil
}

// number reads what a pattern found to be digits; too many of them are 0.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
