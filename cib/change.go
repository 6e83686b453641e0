package cib

// changes collects facts that go and come, and gives in the end how they changed, each
// once, in the order in which they were first touched.
type changes struct {
	order   []identity
	touched map[identity]*Change
}

func (c *changes) of(f Fact, before Fact) *Change {
	if c.touched == nil {
		c.touched = map[identity]*Change{}
	}
	id := f.identity()
	known, ok := c.touched[id]
	if !ok {
		known = &Change{Before: before}
		c.touched[id] = known
		c.order = append(c.order, id)
	}
	return known
}

// gone says that the document no longer has f.
func (c *changes) gone(f Fact) { c.of(f, f).After = nil }

// there says that the document has f now.
func (c *changes) there(f Fact) { c.of(f, nil).After = f }

// list leaves out what is as it was.
func (c *changes) list() []Change {
	var list []Change
	for _, id := range c.order {
		if change := *c.touched[id]; change.Before != change.After {
			list = append(list, change)
		}
	}
	return list
}
