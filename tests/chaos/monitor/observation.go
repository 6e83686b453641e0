package monitor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"holdfast/tests/chaos/client"
	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/sample"
	"holdfast/tests/chaos/timeline"
)

// patience is how many ARP probes a node may leave unanswered without being
// taken for gone.
const patience = 10

// observation is everything that is seen while the clients and samplers run.
type observation struct {
	config  Config
	run     string
	origin  time.Time
	clients []client.Client
	stop    context.CancelFunc
	over    sync.WaitGroup
	arp     *sample.ARP // nil when blind
	blind   error       // why ARP is not seen
	unglued string      // why there is no glued client

	mu      sync.Mutex // guards what follows
	records []*client.Record
	book    ledger.Ledger
	fileErr error
	streak  outage.Streak // of the writer
	holder  string        // who answered the writer last
	views   timeline.Nodes
	latest  map[string]timeline.NodeView
	address timeline.Address
	glued   *glued
	fenced  map[string]time.Time
}

// observe starts everything; finish ends it.
func observe(ctx context.Context, c Config, run string) *observation {
	ctx, stop := context.WithCancel(ctx)
	o := &observation{
		config: c, run: run, origin: time.Now(), stop: stop, latest: map[string]timeline.NodeView{},
		streak:  outage.Streak{Threshold: c.Threshold},
		address: timeline.Address{Patience: patience * c.ARP},
	}
	o.arp, o.blind = sample.ListenARP(c.Address.Address(), c.sampled())
	o.glue()
	o.clients = client.All(o.clientConfig())
	attempts := make(chan client.Answered, 4096)
	var running sync.WaitGroup
	for _, cl := range o.clients {
		o.records = append(o.records, &client.Record{Client: cl})
		work := func() { cl.Run(ctx, run, o.origin, c.Deadline, attempts) }
		if cl.Kind == client.Glued {
			running.Go(func() { o.glued.run(ctx, work) })
			continue
		}
		running.Go(work)
	}
	go func() {
		running.Wait()
		close(attempts)
	}()
	o.over.Go(func() {
		for a := range attempts {
			o.attempt(a)
		}
	})
	o.watchNodes(ctx)
	o.watchAddress(ctx)
	return o
}

func (o *observation) watchNodes(ctx context.Context) {
	seen := make(chan sample.Seen, 256)
	go sample.Views(ctx, o.origin, o.config.Sample, o.config.Deadline, o.config.sampled(), seen)
	o.over.Go(func() {
		for s := range seen {
			o.view(s)
		}
	})
}

func (o *observation) watchAddress(ctx context.Context) {
	if o.blind != nil {
		return
	}
	answers := make(chan sample.Answered, 256)
	go o.arp.Run(ctx, o.origin, o.config.ARP, answers)
	o.over.Go(func() {
		for a := range answers {
			o.mu.Lock()
			o.address.Answer(a.Node, a.At)
			if o.glued != nil {
				o.glued.answered(a)
			}
			o.mu.Unlock()
		}
	})
}

// finish stops the clients and samplers and waits for what was under way.
func (o *observation) finish() {
	o.stop()
	o.over.Wait()
	o.unstick()
}

func (o *observation) now() time.Duration { return time.Since(o.origin) }

// attempt takes one attempt into all the books.
func (o *observation) attempt(a client.Answered) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a.Answer.Node = o.config.nodeName(a.Answer.Node)
	o.records[a.Client].Add(a.Attempt)
	verdict, _ := client.Verdict(a.Attempt)
	if c := o.clients[a.Client]; c.Writes() {
		o.book.Record(c.ID(a.Tick), verdict)
		o.append(ledger.Record{Run: o.run, ID: c.ID(a.Tick), Verdict: verdict.String(), Node: a.Answer.Node, At: o.origin.Add(a.Done)})
	}
	if a.Client != 0 {
		return
	}
	if verdict == ledger.Acknowledged {
		o.streak.Answer(a.Done)
		o.holder = a.Answer.Node
	}
	o.config.Writer(o.origin, a.Attempt)
}

// append writes to the ledger file. Its first error stays: a ledger with holes
// proves nothing.
func (o *observation) append(r ledger.Record) {
	if o.config.Ledger != nil && o.fileErr == nil {
		o.fileErr = ledger.Append(o.config.Ledger, r)
	}
}

func (o *observation) view(s sample.Seen) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before, known := o.latest[s.Node]
	o.views.See(s.Node, s.At, s.View)
	o.latest[s.Node] = s.View
	if !known || before.State != s.View.State || before.ConfID != s.View.ConfID {
		text := s.View.State
		if s.View.Primary {
			text += fmt.Sprintf(", view %d [%s]", s.View.ConfID, strings.Join(s.View.Members, " "))
		}
		o.config.Tell(Event{At: o.origin.Add(s.At), Kind: KindNode, Node: s.Node, Text: text})
	}
}

// steady says for how long the writer was served without a gap, counted from the
// given time, and false in the middle of a gap.
func (o *observation) steady(from time.Duration) (time.Duration, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.streak.Unbroken(from), o.streak.Silent(o.now()) < o.config.Threshold
}

// servedBy is the node that answered the writer last.
func (o *observation) servedBy() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder
}

// broken is why the observation cannot go on.
func (o *observation) broken() error {
	o.mu.Lock()
	err := o.fileErr
	o.mu.Unlock()
	if err == nil && o.config.Broken != nil {
		err = o.config.Broken()
	}
	return err
}

// unsettled says why the databases are not one component of all nodes, all
// synced; nothing when they are.
func (o *observation) unsettled() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var why []string
	var first timeline.NodeView
	for i, n := range o.config.Nodes {
		v := o.latest[n.Name]
		if i == 0 {
			first = v
		}
		switch {
		case v.State != "Synced" || !v.Primary:
			why = append(why, fmt.Sprintf("the database on %s is %s", n.Name, v.State))
		case v.Size != len(o.config.Nodes):
			why = append(why, fmt.Sprintf("%s is in a component of %d", n.Name, v.Size))
		case v.Cluster != first.Cluster || v.ConfID != first.ConfID:
			why = append(why, fmt.Sprintf("%s and %s are in different views", o.config.Nodes[0].Name, n.Name))
		}
	}
	return why
}
