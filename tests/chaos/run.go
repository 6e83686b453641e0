package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"holdfast/tests/chaos/ledger"
	"holdfast/tests/chaos/mariadb"
	"holdfast/tests/chaos/outage"
	"holdfast/tests/chaos/verify"
)

// prepareDeadline bounds the creation of the table.
const prepareDeadline = 10 * time.Second

// run is chaos run: write, start the fault, verify, report.
func run(opt options, stdout, stderr io.Writer, stop stops) error {
	people := stdout
	if opt.output == "json" {
		people = stderr
	}
	scr := &screen{out: people}
	server, err := opt.server(opt.address)
	if err != nil {
		return err
	}
	if err := findFault(opt.fault); err != nil {
		return err
	}
	if err := prepare(stop.soft, server); err != nil {
		return err
	}
	file, closeFile, err := openLedger(opt.ledger)
	if err != nil {
		return err
	}
	s := newSession(opt, runName(time.Now()), server, scr, file)
	s.write(stop.soft)
	if err := closeFile(); err != nil && s.broken == nil {
		s.broken = fmt.Errorf("close the ledger %s: %w", opt.ledger, err)
	}

	r := report{session: s, figures: outage.Measure(s.observation(), opt.threshold)}
	if s.broken == nil && !opt.noVerify {
		result, err := verifyNodes(stop.hard, opt, s.name, &s.ledger, scr)
		if err != nil {
			return err
		}
		r.verification = &result
	}
	return r.deliver(stdout, stderr, scr)
}

// verifyLedger is chaos verify: hold an earlier run against the nodes.
func verifyLedger(opt options, stdout, stderr io.Writer, stop stops) error {
	file, err := os.Open(opt.ledger)
	if err != nil {
		return startError("open the ledger: %w", err)
	}
	defer file.Close()
	book, name, err := ledger.Read(file, opt.runName)
	if err != nil {
		return startError("%s: %w: name a file that chaos run --ledger wrote, and one of its runs", opt.ledger, err)
	}
	people := stdout
	if opt.output == "json" {
		people = stderr
	}
	scr := &screen{out: people}
	result, err := verifyNodes(stop.soft, opt, name, book, scr)
	if err != nil {
		return err
	}
	scr.plain(verificationTable(result))
	verdict := judgeVerification(result)
	if opt.output == "json" {
		if err := writeJSON(stdout, verifyOutput{Run: name, Acknowledged: book.Counts().Acknowledged,
			Verification: verificationJSON(result), ExitStatus: exitStatus(verdict), Reason: reason(verdict)}); err != nil {
			return err
		}
	}
	verdict = tell(stderr, verdict)
	scr.plain("acknowledged writes lost: " + lostWords(&result) + "\n")
	return verdict
}

func (o options) server(address string) (*mariadb.Server, error) {
	server, err := mariadb.New(mariadb.Config{Address: address, User: o.user, Password: o.password, Database: o.database})
	if err != nil {
		return nil, usageError("%w: correct the address", err)
	}
	return server, nil
}

// prepare makes the table; it is also the proof that the run can start.
func prepare(ctx context.Context, server *mariadb.Server) error {
	limited, cancel := context.WithTimeout(ctx, prepareDeadline)
	defer cancel()
	err := server.Prepare(limited)
	if ctx.Err() != nil {
		return startError("could not start: stopped by a signal")
	}
	if err != nil {
		return startError("could not start: %w: %s", err, mariadb.Advice(err))
	}
	return nil
}

// openLedger opens the file for appending; without a path it gives no writer.
func openLedger(path string) (io.Writer, func() error, error) {
	if path == "" {
		return nil, func() error { return nil }, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, startError("could not start: %w: give --ledger a file that can be written", err)
	}
	// Every record was handed to the kernel at once; the disk is asked for once.
	return file, func() error { return errors.Join(file.Sync(), file.Close()) }, nil
}

// runName names a run by its time, for people, and a random part, so that two
// clients that start in the same second have rows of their own.
func runName(now time.Time) string {
	return now.UTC().Format("20060102T150405Z") + "-" + rand.Text()[:8]
}

func verifyNodes(ctx context.Context, opt options, name string, book *ledger.Ledger, scr *screen) (verify.Result, error) {
	check := verify.Check{
		Run: name, Ledger: book, Wait: opt.verifyWait,
		Progress: func(node, text string) { scr.tell(time.Now(), kindVerify, "%s %s", node, text) },
	}
	for _, n := range opt.nodes {
		server, err := opt.server(n.address)
		if err != nil {
			return verify.Result{}, err
		}
		check.Nodes = append(check.Nodes, verify.Node{Name: n.name, Server: server})
	}
	return verify.Nodes(ctx, check), nil
}
