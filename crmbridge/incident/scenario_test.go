package incident

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A file of testdata/scenarios has cases. A case is
//
//	case: what it is about
//	0.000 died db1                    when, in seconds, and what: see the verbs below
//	| record                          what comes of it, written by -update
//
// It begins with db1, db2 and db3 as members, db1 the DC, galera promoted on each and vip
// on db1, seen by db2; after "0.000 forget" without resources, and after "0.000 off" with nothing.
type scenario struct {
	title  string
	events []Event
}

// verbs are what can happen. Their arguments are what e is told in words.
func verbs() map[string]func(e *Event, args []string) {
	kind := func(k Kind, source Source) func(*Event, []string) {
		return func(e *Event, args []string) {
			e.Kind, e.Source = k, source
			if len(args) > 0 {
				e.Node = args[0]
			}
			if source == FromJournal {
				e.Basis = Logged
			}
		}
	}
	state := func(s NodeState) func(*Event, []string) {
		return func(e *Event, args []string) { e.Kind, e.Node, e.State = NodeChanged, args[0], s }
	}
	return map[string]func(*Event, []string){
		"begun":         func(e *Event, a []string) { operation(e, OperationBegun, a) },
		"ended":         func(e *Event, a []string) { operation(e, OperationEnded, a) },
		"failed":        func(e *Event, a []string) { operation(e, OperationEnded, a); e.Op.Failed = true },
		"timeout":       func(e *Event, a []string) { operation(e, OperationEnded, a); e.Op.Failed, e.Op.Status = true, 2 },
		"died":          died(false),
		"ordered-death": died(true),
		"address+":      addressEvent(AddressAdded),
		"address-":      addressEvent(AddressRemoved),
		"left":          kind(NodeLeft, FromCorosync),
		"joined":        kind(NodeJoined, FromCorosync),
		"quorum-":       kind(QuorumLost, FromCorosync),
		"quorum+":       kind(QuorumGained, FromCorosync),
		"member":        state(NodeState{true, true, "member", "member"}),
		"joining":       state(NodeState{true, false, "down", "down"}),
		"silent":        state(NodeState{true, false, "down", "member"}), // its controller has left
		"lost":          state(NodeState{false, false, "down", "member"}),
		"down":          state(NodeState{false, false, "down", "down"}),
		"offline":       state(NodeState{true, false, "down", "down"}), // its controller has left as it was asked to
		"nowhere":       state(NodeState{}),
		"up":            state(NodeState{Member: true, Online: true}),
		"ends":          state(NodeState{true, true, "member", "down"}),
		// By a node that is not a part of the cluster yet: what it hears of the others was so before.
		"found-nowhere": found(state(NodeState{})),
		"found-up":      found(state(NodeState{Member: true, Online: true})),
		"found-dc":      found(kind(DCChanged, FromCIB)),
		"found-joining": found(state(NodeState{true, false, "down", "down"})),
		"found-silent":  found(state(NodeState{true, false, "member", "member"})),
		"found-member":  found(state(NodeState{true, true, "member", "member"})),
		"late-begun":    func(e *Event, a []string) { operation(e, OperationBegun, a[1:]); late(e, a[0]) },
		"late-ended":    func(e *Event, a []string) { operation(e, OperationEnded, a[1:]); late(e, a[0]) },
		"probed": func(e *Event, a []string) {
			operation(e, OperationEnded, []string{a[0], "monitor", a[1], a[2]})
			e.Op.Interval, e.Op.Target = 0, ocfNotRunning
		},
		"served": func(e *Event, a []string) { // and the last sign of life
			kind(ServiceKnown, FromJournal)(e, a)
			e.Initial, e.At = true, Moment{Wall: midnight().Add(seconds(a[1]))}
		},
		"attribute": attribute,
		"history": func(e *Event, a []string) {
			e.Kind, e.Node, e.Known = ResourceRunning, a[1], Known{Resource: a[0], Role: Role(a[2])}
		},
		"found": found(func(e *Event, a []string) {
			e.Kind, e.Node, e.Known = ResourceRunning, a[1], Known{Resource: a[0], Role: Role(a[2])}
		}),
		"fence":         fence(FencingRequested),
		"fenced":        fence(FencingEnded),
		"standby":       kind(StandbySet, FromCIB),
		"unstandby":     kind(StandbyCleared, FromCIB),
		"maintenance":   kind(MaintenanceSet, FromCIB),
		"unmaintenance": kind(MaintenanceCleared, FromCIB),
		"shutdown":      kind(ShutdownRequested, FromCIB),
		"another":       kind(AnotherCluster, FromCIB),
		"token":         func(e *Event, a []string) { kind(TokenLost, FromJournal)(e, nil); e.Change.Value = a[0] + " ms" },
		"link-":         kind(LinkDown, FromJournal),
		"probe-":        kind(ProbeBad, FromProbe),
		"probe+":        kind(ProbeGood, FromProbe),
		"view":          func(e *Event, a []string) { kind(ViewChanged, FromJournal)(e, a); e.View = view(a[1:]) },
		"suspects":      func(e *Event, a []string) { kind(PeerSuspected, FromJournal)(e, a); e.Change.Value = a[1] + " ms" },
		"leaves": func(e *Event, a []string) {
			kind(DatabaseChanged, FromJournal)(e, a)
			e.Change = Change{Before: "synced", Value: leaving}
		},
		"applied": func(e *Event, a []string) {
			kind(ViewChanged, FromJournal)(e, a)
			e.View = view(a[1:])
			e.View.Applied = true
		},
		"move":    func(e *Event, a []string) { constraint(e, ConstraintSet, a) },
		"lift":    func(e *Event, a []string) { constraint(e, ConstraintCleared, a) },
		"stop":    setting("target-role", "Stopped"),
		"start":   setting("target-role", "Started"),
		"plan":    plan,
		"known":   known,
		"blinded": func(e *Event, a []string) { e.Kind, e.Source, e.Change.Value = Gap, Source(a[0]), "it ended" },
		"clock": func(e *Event, a []string) {
			e.Kind, e.Source, e.Clock.Stepped = ClockChanged, FromKernel, seconds(a[0])
		},
		"blind": func(e *Event, a []string) {
			e.Kind, e.Source, e.Until = Gap, Source(a[0]), e.At.Wall.Add(seconds(a[1]))
		},
		"stonith-failed": func(e *Event, a []string) {
			fence(FencingEnded)(e, a)
			e.Fencing.Failed, e.Fencing.Reason = true, "no device"
		},
	}
}

func found(what func(*Event, []string)) func(*Event, []string) {
	return func(e *Event, args []string) {
		what(e, args)
		e.Initial = true
	}
}

func operation(e *Event, kind Kind, args []string) {
	e.Kind, e.Node = kind, args[2]
	e.Op = Operation{Resource: args[0], Action: args[1], Transition: 7, CallID: -1, Key: args[0] + args[1] + args[2] + e.CIB}
	if args[1] == "monitor" {
		e.Op.Interval = 2 * time.Second
	}
	if kind == OperationEnded {
		e.Op.CallID, e.Op.Magic = 30, "magic:"+e.CIB
		if len(args) > 3 {
			e.Op.RC, _ = strconv.Atoi(args[3])
			e.Op.Reason = strings.Join(args[4:], " ")
		}
	}
}

// late is what the CIB was so many seconds late with.
func late(e *Event, by string) {
	e.Basis, e.Op.Late = Estimated, seconds(by)
	e.Op.Changed = e.At.Wall.Add(-e.Op.Late).Truncate(time.Second)
}

func died(job bool) func(*Event, []string) {
	return func(e *Event, args []string) {
		e.Kind, e.Source, e.Node = UnitDied, FromSystemd, args[0]
		e.Unit = Unit{Name: "mariadb.service", PID: 815, Result: "signal", Code: "killed", Status: 9, Job: job}
	}
}

func addressEvent(kind Kind) func(*Event, []string) {
	return func(e *Event, args []string) {
		e.Kind, e.Source, e.Node, e.Address = kind, FromKernel, args[0], Address{"192.168.205.70/24", "host0"}
	}
}

func fence(kind Kind) func(*Event, []string) {
	return func(e *Event, args []string) {
		e.Kind, e.Source, e.Node = kind, FromFencer, args[0]
		e.Fencing = Fencing{Action: "reboot", Origin: "db1", Delegate: "db2", Client: "pacemaker-controld.9"}
		if len(args) > 1 {
			e.Fencing.Client = args[1]
		}
	}
}

// attribute is a transient one of a node; without a value it was deleted.
func attribute(e *Event, args []string) {
	e.Kind, e.Node, e.Change = AttributeChanged, args[1], Change{Name: args[0], Value: strings.Join(args[2:], " ")}
}

func constraint(e *Event, kind Kind, args []string) {
	e.Kind, e.Node, e.By = kind, args[1], "crm_resource (root)"
	e.Constraint = Constraint{ID: "cli-prefer-" + args[0], Resource: args[0], Node: args[1], Score: "INFINITY"}
}

func setting(name, value string) func(*Event, []string) {
	return func(e *Event, args []string) {
		e.Kind, e.By, e.Change = SettingChanged, "crm_resource (root)", Change{Resource: args[0], Name: name, Value: value}
	}
}

// view is what the database says of its membership: the status and, where it matters, of how many.
func view(args []string) View {
	v := View{Status: args[0]}
	if len(args) > 1 {
		v.Members, _ = strconv.Atoi(args[1])
	}
	return v
}

// known is a resource that is made; "forget", in a scenario, makes it begin without any.
func known(e *Event, args []string) {
	e.Kind, e.Known = ResourceKnown, Known{Resource: args[0], Role: Role(args[1])}
	if len(args) > 2 {
		e.Known.IP = args[2]
	}
	if e.Known.Role == RoleDatabase {
		e.Known.Unit = "mariadb.service"
	}
}

func plan(e *Event, args []string) {
	e.Kind, e.Source, e.Basis, e.Node = TransitionBegun, FromJournal, Logged, "db1"
	e.Transition.Number, _ = strconv.Atoi(args[0])
	e.Transition.PEInput = args[1]
}

func seconds(text string) time.Duration {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return time.Duration(f * float64(time.Second))
}

// midnight is second 0 of a scenario.
func midnight() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// peaceful is the state that every scenario begins in.
func peaceful() []Event {
	begin := Moment{Wall: midnight().Add(-time.Minute)}
	var events []Event
	add := func(e Event) {
		e.Source, e.Observer, e.At, e.Seen, e.Basis, e.Initial, e.CIB = FromCIB, "db2", begin, begin, Measured, true, "0.5.1"
		events = append(events, e)
	}
	add(Event{Kind: DCChanged, Node: "db1"})
	add(Event{Kind: ResourceKnown, Known: Known{Resource: "galera", Role: RoleDatabase, Parent: "galera-clone", Unit: "mariadb.service"}})
	add(Event{Kind: ResourceKnown, Known: Known{Resource: "vip", Role: RoleAddress, IP: "192.168.205.70"}})
	for _, node := range []string{"db1", "db2", "db3"} {
		add(Event{Kind: NodeChanged, Node: node, State: NodeState{true, true, "member", "member"}})
		add(Event{Kind: ResourceRunning, Node: node, Known: Known{Resource: "galera", Role: RolePromoted}})
	}
	add(Event{Kind: ResourceRunning, Node: "db1", Known: Known{Resource: "vip", Role: RoleStarted}})
	return events
}

// parseEvent reads a line of a scenario. The version of the CIB counts the lines.
func parseEvent(t *testing.T, line string, number int) Event {
	t.Helper()
	words := strings.Fields(line)
	name, same := strings.CutPrefix(words[1], "+") // with the version of the line before
	if same {
		number--
	}
	verb, ok := verbs()[name]
	if !ok {
		t.Fatalf("%q: no verb %q", line, words[1])
	}
	since := seconds(words[0])
	at := Moment{Wall: midnight().Add(since), Mono: time.Hour + since, Boot: "b"}
	e := Event{Source: FromCIB, Observer: "db2", At: at, Seen: at, Basis: Measured, CIB: fmt.Sprintf("0.5.%d", 10+number)}
	verb(&e, words[2:])
	if e.Source != FromCIB {
		e.CIB = ""
	}
	if e.Source == FromCorosync {
		e.Ring = "1.2a"
	}
	return e
}

// scenarios reads a file, and gives its lines to emit with the records of each case.
func scenarios(t *testing.T, file string, emit func(lines []string, s scenario)) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	s, step := scenario{}, time.Duration(0)
	finish := func() {
		if s.title != "" {
			emit(lines, s)
		}
		lines, s, step = nil, scenario{}, 0
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "|") || line == "":
			continue
		case strings.HasPrefix(line, "case:"):
			finish()
			s = scenario{title: line, events: peaceful()}
		case strings.HasPrefix(line, "#"):
		case strings.HasSuffix(line, " forget"):
			s.events = slices.DeleteFunc(s.events, func(e Event) bool { return e.Kind == ResourceKnown || e.Kind == ResourceRunning })
		case strings.HasSuffix(line, " off"): // the whole cluster is, and this node is the first to come back
			s.events = nil
		default:
			e := parseEvent(t, line, len(s.events))
			step += e.Clock.Stepped
			e.At.Wall, e.Seen.Wall = e.At.Wall.Add(step), e.Seen.Wall.Add(step)
			s.events = append(s.events, e)
		}
		lines = append(lines, line)
	}
	finish()
}

func TestScenarios(t *testing.T) {
	for _, file := range files(t, "testdata/scenarios/*.txt") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var out bytes.Buffer
			scenarios(t, file, func(lines []string, s scenario) {
				var records bytes.Buffer
				for _, r := range newest(track(s.events)) {
					show(&records, r)
				}
				fmt.Fprintln(&out, strings.Join(lines, "\n"))
				for line := range strings.Lines(strings.TrimSpace(records.String())) {
					fmt.Fprintln(&out, strings.TrimRight("| "+line, " \n"))
				}
				fmt.Fprintln(&out)
			})
			golden(t, file, out.Bytes())
		})
	}
}
