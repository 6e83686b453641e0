package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func withPassword(string) string { return "secret" }

func TestRunOptions(t *testing.T) {
	opt, err := parseRun([]string{
		"--address", "192.168.205.70", "--node", "db1=192.168.205.71", "--node", "db2=[fd00::72]:3307",
		"--", "labctl", "power", "off", "{node}",
	}, withPassword)
	if err != nil {
		t.Fatal(err)
	}
	if opt.address != "192.168.205.70:3306" || opt.nodes[1].address != "[fd00::72]:3307" || opt.password != "secret" {
		t.Errorf("got %+v", opt)
	}
	if got := strings.Join(opt.fault, " "); got != "labctl power off {node}" {
		t.Errorf("the fault is %q", got)
	}
}

func TestPasswordFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opt, err := parseRun([]string{"--address", "a", "--no-verify", "--password-file", file}, withPassword)
	if err != nil || opt.password != "from file" {
		t.Errorf("got %q, %v", opt.password, err)
	}
}

// Each wrong command line gets one sentence with the name of what is wrong.
func TestWrongUsage(t *testing.T) {
	node := "--node=db1=192.168.205.71"
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "no command"},
		{[]string{"walk"}, `"walk"`},
		{[]string{"run", node}, "--address"},
		{[]string{"run", "--address", "x:"}, "--address"},
		{[]string{"run", "--address", "x"}, "--node is missing"},
		{[]string{"run", "--address", "x", "--node", "192.168.205.71"}, "NAME=HOST"},
		{[]string{"run", "--address", "x", "--node", "a b=1.2.3.4"}, "NAME=HOST"},
		{[]string{"run", "--address", "x", node, node}, "once"},
		{[]string{"run", "--address", "x", node, "--interval", "soon"}, "interval"},
		{[]string{"run", "--address", "x", node, "--interval", "0s"}, "--interval"},
		{[]string{"run", "--address", "x", node, "--interval", "1us"}, "--interval"},
		{[]string{"run", "--address", "x", node, "--threshold", "15ms"}, "--threshold"},
		{[]string{"run", "--address", "x", node, "--limit", "4s"}, "--limit"},
		{[]string{"run", "--address", "x", node, "--output", "xml"}, "xml"},
		{[]string{"run", "--address", "x", node, "--database", "a`b"}, "--database"},
		{[]string{"run", "--address", "x", node, "--duration", "5s", "--", "true"}, "--duration"},
		{[]string{"run", "--address", "x", node, "--password-file", "/nonexistent"}, "/nonexistent"},
		{[]string{"run", "--address", "x", node, "--password", "p"}, "-password"},
		{[]string{"verify", node}, "--ledger"},
		{[]string{"verify", "--ledger", "f"}, "--node"},
		{[]string{"verify", "--ledger", "f", node, "more"}, `"more"`},
	} {
		var stdout, stderr bytes.Buffer
		status := command(test.args, withPassword, &stdout, &stderr, nil)
		if status != exitUsage || !strings.Contains(stderr.String(), test.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%q: status %d, %q; want %d and %q", test.args, status, stderr.String(), exitUsage, test.want)
		}
	}
	if _, err := parseRun([]string{"--address", "x", "--no-verify"}, func(string) string { return "" }); exitStatus(err) != exitUsage {
		t.Errorf("without a password: %v", err)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"run", "--help"}, {"verify", "-h"}} {
		var stdout, stderr bytes.Buffer
		if status := command(args, withPassword, &stdout, &stderr, nil); status != exitOK || stdout.String() != usage || stderr.Len() > 0 {
			t.Errorf("%q: status %d, %q", args, status, stderr.String())
		}
	}
}

func TestFaultCommand(t *testing.T) {
	got, err := faultCommand([]string{"sh", "-c", "cut {node}; echo {node}"}, "db1")
	if err != nil || got[2] != "cut db1; echo db1" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, name := range []string{"", "-rf", "db1; reboot", "$(reboot)"} {
		if got, err := faultCommand([]string{"sh", "-c", "cut {node}"}, name); err == nil {
			t.Errorf("the name %q was put into the command: %q", name, got)
		}
	}
	if _, err := faultCommand([]string{"true"}, "odd name"); err != nil {
		t.Errorf("a command without {node} was refused: %v", err)
	}
}

// FuzzParseNode checks that what is accepted has a usable name and address.
func FuzzParseNode(f *testing.F) {
	for _, seed := range []string{"db1=192.168.205.71", "db2=[fd00::2]:3306", "db3=fd00::3", "=x", "a=", "a=:1", "a=b:c:d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		node, err := parseNode(value)
		if err != nil {
			return
		}
		if again, err := withPort(node.address); !isHostname(node.name) || err != nil || again != node.address {
			t.Errorf("%q gave %+v, which does not parse again: %q, %v", value, node, again, err)
		}
	})
}
