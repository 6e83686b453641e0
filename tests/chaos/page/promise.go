package page

import (
	"fmt"
	"html/template"

	"holdfast/tests/chaos/result"
	"holdfast/tests/chaos/sla"
)

// promise is what was promised, with its arithmetic.
type promise struct {
	Class, Words string
	Facts        []pair
	Sentences    []string
	Bar          template.HTML
	BarWords     string
	Costs        []cost
	Window       string
}

// cost is what one fault takes of the budget.
type cost struct {
	Fault, Longest, Share, Times string
}

func newPromise(run result.Run, all []group) *promise {
	s := run.SLA
	if s == nil {
		return nil
	}
	p := &promise{Class: "unsure", Words: "could not be decided", Window: s.Window}
	switch s.Verdict {
	case string(sla.Met):
		p.Class, p.Words = "good", "met"
	case string(sla.Breached):
		p.Class, p.Words = "bad", "breached"
	}
	if s.MaxInterruption > 0 {
		p.Facts = append(p.Facts, pair{"Longest interruption promised", atMost + duration(s.MaxInterruption)})
	}
	p.Facts = append(p.Facts,
		pair{"Longest interruption seen", figureWords(figure{length: s.Longest, open: s.Open})},
		pair{"Observed", duration(s.Observed)},
		pair{"Interrupted", fmt.Sprintf("%s in %s", duration(s.Interrupted), plural(s.Interruptions, "interruption", "interruptions"))},
		pair{"Availability while observed", share(s.Availability)},
	)
	if s.Unmeasured > 0 {
		p.Facts = append(p.Facts, pair{"Not measured", duration(s.Unmeasured) + ", in which nobody was looking"})
	}
	if s.Objective != "" {
		p.budget(*s, all)
	}
	return p
}

// budget adds the error budget of an objective.
func (p *promise) budget(s result.SLA, all []group) {
	left := pair{"Left of it", duration(s.Left)}
	if s.Left < 0 {
		left = pair{"Overdrawn by", duration(-s.Left)}
	}
	p.Facts = append([]pair{
		{"Objective", s.Objective + " in any " + s.Window},
		{"Error budget", duration(s.Budget)},
		{"Used of it", duration(s.Used)},
		left,
	}, p.Facts...)
	p.BarWords = budgetWords(s)
	p.Bar = template.HTML(drawBudget(s)) //nolint:gosec // escaped by drawing
	p.Sentences = append(p.Sentences, fmt.Sprintf(
		"The error budget is the time for which the service may be away: %s × (100%s%% %s %s) = %s in any %s. Interruptions are taken from it; when it is used up, the objective is breached.",
		s.Window, narrow, minus, s.Objective, duration(s.Budget), s.Window))
	if window, err := sla.ParseWindow(s.Window); err == nil && s.Observed < result.Of(window) {
		p.Sentences = append(p.Sentences, fmt.Sprintf(
			"Only %s of the %s were observed. “Met” means that this much has not used up the budget; the rest of the window may.",
			duration(s.Observed), s.Window))
	}
	for _, g := range all {
		if n := len(g.interruptions); n > 0 {
			p.Costs = append(p.Costs, newCost(g.name, g.interruptions[n-1], s.Budget))
		}
	}
}

func newCost(name string, longest figure, budget result.Milliseconds) cost {
	c := cost{Fault: name, Longest: figureWords(longest), Share: nothing, Times: nothing}
	if longest.open {
		return c // nobody knows what it would have cost
	}
	if budget > 0 {
		c.Share = share(float64(longest.length / budget))
	}
	if times := sla.Affordable(budget.Duration(), longest.length.Duration()); times >= 0 {
		c.Times = count(int(times))
	}
	return c
}

// drawBudget is a bar of the budget and what was used.
func drawBudget(s result.SLA) string {
	used := 100.0
	if s.Budget > 0 {
		used = clamp(float64(s.Used/s.Budget)*100, 0, 100)
	}
	class := "used"
	if s.Used > s.Budget {
		class = "used over"
	}
	var d drawing
	d.rect("budget", 0, 1, 100, 16, "")
	d.rect(class, 0, 1, used, 16, "")
	return picture("budget", "bar", 18, "Error budget", budgetWords(s), d.String())
}

func budgetWords(s result.SLA) string {
	words := fmt.Sprintf("%s used of the %s", duration(s.Used), duration(s.Budget))
	if s.Budget > 0 {
		words += fmt.Sprintf(" that may be: %s", share(float64(s.Used/s.Budget)))
	}
	return words
}
