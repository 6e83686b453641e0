package page

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// model is what the template shows, in words.
type model struct {
	Style    template.CSS
	Title    string
	Verdict  verdict
	Facts    []pair
	Promise  *promise
	Rows     []row
	Remarks  []string
	Overview template.HTML
	Faults   []faultModel
	Settings []pair
	Versions []pair
}

// pair is a name with its value.
type pair struct{ Name, Value string }

// faultModel is a fault with its repetitions.
type faultModel struct {
	ID, Name, Description, Expected string
	Repetitions                     []repetitionModel
}

// repetitionModel is one repetition with its timelines.
type repetitionModel struct {
	Title      string
	Summary    []string
	Broken     bool
	Open       bool // shown at once
	Views      []viewModel
	Marks      []markModel
	Violations []markModel
	Doubled    []string
	Clients    []clientRow
	Unmeasured []string
}

type viewModel struct {
	Name, Caption string
	SVG           template.HTML
}

// markModel is a line of the list below a timeline, with the number of its badge.
type markModel struct {
	Number             int
	Name, Node, Offset string
	Detail             string
}

func newModel(run result.Run) model {
	all := groups(run.Faults)
	m := model{
		Style:    template.CSS(style), //nolint:gosec // our own file
		Title:    "Chaos run " + run.ID,
		Verdict:  newVerdict(run),
		Facts:    facts(run),
		Promise:  newPromise(run, all),
		Remarks:  remarks(run, all),
		Overview: template.HTML(drawOverview(all, maxInterruption(run))), //nolint:gosec // escaped by drawing
		Settings: pairs(run.Settings),
		Versions: pairs(run.Versions),
	}
	for i, g := range all {
		m.Rows = append(m.Rows, newRow(g, fmt.Sprintf("fault-%d", i+1), precision(run.Interval)))
		m.Faults = append(m.Faults, newFaultModel(run, g, i+1))
	}
	return m
}

func maxInterruption(run result.Run) result.Milliseconds {
	if run.SLA == nil {
		return 0
	}
	return run.SLA.MaxInterruption
}

func facts(run result.Run) []pair {
	const clock = "2006-01-02 15:04:05 MST"
	nodes := make([]string, len(run.Nodes))
	for i, n := range run.Nodes {
		nodes[i] = n.Name + "\u00a0(" + n.Address + ")"
	}
	return []pair{
		{"Floating address", run.Address},
		{"Nodes", strings.Join(nodes, ", ")},
		{"Started", run.Started.Format(clock)},
		{"Ended", run.Ended.Format(clock) + ", after " + long(run.Ended.Sub(run.Started).Round(time.Second))},
		{"Resolution", "one attempt of each client every " + duration(run.Interval)},
		{"Deadline of an attempt", duration(run.Deadline)},
		{"Faults", fmt.Sprintf("%s in all", plural(len(run.Faults), "repetition", "repetitions"))},
	}
}

// pairs sorts a map by its keys.
func pairs(m map[string]string) []pair {
	var all []pair
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, pair{name, m[name]})
	}
	return all
}

func newFaultModel(run result.Run, g group, number int) faultModel {
	m := faultModel{
		ID: fmt.Sprintf("fault-%d", number), Name: g.name,
		Description: g.repetitions[0].Description, Expected: g.repetitions[0].Expected,
	}
	worst := g.worst()
	for i, f := range g.repetitions {
		open := i == worst || len(sla.Breaches(f, maxInterruption(run))) > 0
		grain := coarse()
		if open {
			grain = fine()
		}
		r := newRepetition(run, f, grain, fmt.Sprintf("t%d-%d", number, i+1))
		r.Open = open
		m.Repetitions = append(m.Repetitions, r)
	}
	return m
}

func newRepetition(run result.Run, f result.Fault, grain raster, id string) repetitionModel {
	r := repetitionModel{
		Title:      fmt.Sprintf("Repetition %d", f.Repetition),
		Broken:     len(sla.Breaches(f, maxInterruption(run))) > 0,
		Summary:    repetitionSummary(run, f),
		Marks:      markModels(f.Marks, nil),
		Violations: violationModels(f.Violations),
		Doubled:    doubledWords(f),
		Unmeasured: f.Unmeasured,
	}
	if len(f.Targets) > 0 {
		r.Title += " on " + strings.Join(f.Targets, ", ")
	}
	for _, c := range f.Clients {
		r.Clients = append(r.Clients, newClientRow(c, precision(run.Interval)))
	}
	enlarged, found := closeUp(f)
	if found {
		r.add(drawView(run, f, enlarged, window{}, grain, id+"-close", "the interruption"), "The interruption")
	}
	r.add(drawView(run, f, whole(f), enlarged, grain, id+"-whole", "all that was observed"), "All that was observed")
	return r
}

func (r *repetitionModel) add(v view, name string) {
	r.Views = append(r.Views, viewModel{Name: name, Caption: v.caption, SVG: template.HTML(v.svg)}) //nolint:gosec // escaped by drawing
}

// repetitionSummary is what stands beside the title, also while it is closed.
func repetitionSummary(run result.Run, f result.Fault) []string {
	words := []string{"interruption not measured"}
	if writer, measured := sla.Writer(f); measured {
		words[0] = "interruption " + figureWords(figure{length: writer.Interruption, open: writer.Open})
	}
	words = append(words, fmt.Sprintf("%s acknowledged, %s lost", count(f.Acked), count(f.Lost)))
	for _, b := range sla.Breaches(f, maxInterruption(run)) {
		words = append(words, b.Kind)
	}
	return slices.Compact(words)
}

// markModels numbers marks as badges does; details may be nil.
func markModels(marks []result.Mark, details []string) []markModel {
	order := make([]int, len(marks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(marks[a].At, marks[b].At) })
	models := make([]markModel, len(marks))
	for i, from := range order {
		mark := marks[from]
		models[i] = markModel{Number: i + 1, Name: phrase(mark.Name), Node: mark.Node, Offset: offset(mark.At)}
		if details != nil {
			models[i].Detail = details[from]
		}
	}
	return models
}

func violationModels(all []result.Violation) []markModel {
	details := make([]string, len(all))
	for i, v := range all {
		details[i] = v.Detail
	}
	return markModels(violationMarks(all), details)
}

// phrase is the name of a mark for people.
func phrase(name string) string {
	switch name {
	case result.Injected:
		return "fault injected"
	case result.Struck:
		return "fault struck"
	case result.FirstError:
		return "first error"
	case result.ViewChanged:
		return "Galera view changed"
	case result.AddressMoved:
		return "address moved"
	case result.ARPChanged:
		return "ARP answer changed"
	case result.FirstOK:
		return "first good answer"
	case result.Undone:
		return "fault undone"
	case result.Healed:
		return "every node promoted"
	case result.Synced:
		return "every node synced, all rows there"
	}
	return name
}
