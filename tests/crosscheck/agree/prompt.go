package agree

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"holdfast/crmbridge/incident"
	"holdfast/tests/chaos/result"
)

// Told is how long after Pacemaker's own log of a result crmbridge's entry about it was in the
// journal of the same node: p99 by nearest rank.
type Told struct {
	N      int                 `json:"n"`
	Median result.Milliseconds `json:"median_ms"`
	P99    result.Milliseconds `json:"p99_ms"`
	Max    result.Milliseconds `json:"max_ms"`
}

// outcome is one result of an operation: as Pacemaker's controller logged it, or as crmbridge
// wrote it. Calls are counted anew when Pacemaker begins, so the time belongs to it.
type outcome struct {
	node, resource, action string
	call                   int
}

// sameOperation is how far the two may be apart to be of the same operation.
const sameOperation = 10 * time.Second

// logged is a line of pacemaker.log (pacemaker-controld, log_executor_event in 2.1.5).
const logged = `^(\w{3} [ \d]\d \d\d:\d\d:\d\d\.\d{3}) .*\(log_executor_event\)\s+\w+: Result of (\w+) operation for (\S+) on (\S+): .* call=(\d+) `

// readLog takes the results from a node's pacemaker.log; there need not be one. Its times have
// neither year nor zone: the lab's zone is UTC, and the year is that of the campaign.
func readLog(dir, node string, year int) (map[outcome][]time.Time, error) {
	file, err := os.Open(filepath.Join(dir, "logs", node, "pacemaker.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Pacemaker's log: %w", err)
	}
	defer file.Close()
	line, found := regexp.MustCompile(logged), map[outcome][]time.Time{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		m := line.FindStringSubmatch(lines.Text())
		if m == nil || m[4] != node {
			continue
		}
		at, err := time.Parse("Jan _2 15:04:05.000", m[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		call, err := strconv.Atoi(m[5])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
		}
		key := outcome{node, m[3], m[2], call}
		found[key] = append(found[key], at.AddDate(year, 0, 0))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name(), err)
	}
	return found, nil
}

// ending is the key of an entry about an operation of the node itself, or false.
func ending(e incident.Event) (outcome, bool) {
	o := outcome{e.Node, e.Op.Resource, e.Op.Action, e.Op.CallID}
	return o, e.Kind == incident.OperationEnded && e.Node == e.Observer && !e.Initial && o.call > 0
}

// readLogs finds how long each entry came after the line of the log that it belongs to.
func (c *Campaign) readLogs(dir string) error {
	logs := map[string]map[outcome][]time.Time{}
	for _, e := range c.endings {
		log, read := logs[e.node]
		if !read {
			var err error
			if log, err = readLog(dir, e.node, e.at.Year()); err != nil {
				return err
			}
			logs[e.node] = log
		}
		nearest := sameOperation
		for _, at := range log[e.outcome] {
			if d := e.at.Sub(at); d.Abs() < nearest.Abs() {
				nearest = d
			}
		}
		if nearest < sameOperation {
			c.Prompt = append(c.Prompt, nearest)
		}
	}
	return nil
}

func told(all []time.Duration) Told {
	if len(all) == 0 {
		return Told{}
	}
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return Told{
		N: n, Median: median(sorted), P99: result.Of(sorted[int(math.Ceil(0.99*float64(n)))-1]), Max: result.Of(sorted[n-1]),
	}
}
