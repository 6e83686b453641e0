package main

import (
	"fmt"
	"time"

	"holdfast/tests/chaos/load"
	"holdfast/tests/chaos/mariadb"
)

// write is the attempt of one tick.
type write = load.Attempt[mariadb.Outcome]

// transcript turns the stream of attempts into one line per change of state, as
// people want to read it. It knows no clock and prints nothing.
type transcript struct {
	address string
	damping time.Duration // a state that lasted shorter is not told, so that a flapping service does not flood

	node   string // who answered last; empty before the first answer
	lastOK time.Duration
	down   bool
	failed int                    // attempts since the service went down
	told   map[mariadb.Class]bool // in this outage
	toldAt time.Duration          // when the last line about an answer was told
	spoken bool
}

// line is one thing to tell.
type line struct {
	kind kind
	text string
}

// kind is the word in brackets.
type kind string

const (
	kindSuccess kind = "SUCCESS"
	kindFailed  kind = "FAILED"
	kindFault   kind = "FAULT"
	kindOutput  kind = "OUTPUT"
	kindVerify  kind = "VERIFY"
	kindInfo    kind = "INFO"
)

// see takes the next attempt and returns the line to tell, if it changed anything.
func (t *transcript) see(w write) (line, bool) {
	if w.Answer.Err == nil && !w.Overflow {
		return t.success(w)
	}
	return t.failure(w)
}

func (t *transcript) success(w write) (line, bool) {
	before, wasDown, gap := t.node, t.down, w.Done-t.lastOK
	t.lastOK = max(t.lastOK, w.Done)
	if !wasDown && w.Answer.Node == before {
		return line{}, false
	}
	if !wasDown && t.spoken && w.Done-t.toldAt < t.damping {
		return line{}, false // the address answers from two nodes at once
	}
	failed := t.failed
	t.node, t.down, t.failed, t.told = w.Answer.Node, false, 0, nil
	t.toldAt, t.spoken = w.Done, true

	text := "Connected to " + w.Answer.Node
	switch {
	case wasDown && before != "":
		text += fmt.Sprintf("  <-- Recovery after %s, %d failed", seconds(gap), failed)
	case before != "":
		text += "  <-- was " + before
	}
	return line{kindSuccess, text}, true
}

func (t *transcript) failure(w write) (line, bool) {
	// An attempt that was under way while another was answered says nothing
	// about the service after that answer.
	if !t.down && t.node != "" && w.Intended < t.lastOK {
		return line{}, false
	}
	if !t.down && t.spoken && w.Done-t.toldAt < t.damping {
		return line{}, false
	}
	t.down = true
	t.failed++
	class, cause := w.Answer.Class, fmt.Sprint(w.Answer.Err)
	if w.Overflow {
		class, cause = mariadb.ClientFull, "too many writes under way"
	}
	if t.told[class] {
		return line{}, false
	}
	if t.told == nil {
		t.told = map[mariadb.Class]bool{}
	}
	t.told[class] = true
	return line{kindFailed, fmt.Sprintf("no answer from %s: %s (%s)", t.address, cause, class)}, true
}

// seconds prints a duration as people compare interruptions: "1.93 s".
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
