package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

const addressScheme = "gcomm://"

func checkAddress(value string) error {
	_, err := parseAddress(value)
	return err
}

func checkHostMap(value string) error {
	_, err := parseHostMap(value)
	return err
}

func checkWords(value string) error {
	_, err := splitWords(value)
	return err
}

// parseAddress returns the node names of a wsrep_cluster_address in their order,
// without ports and options.
func parseAddress(value string) ([]string, error) {
	list, ok := strings.CutPrefix(strings.TrimSpace(value), addressScheme)
	if !ok {
		return nil, errors.New("it does not begin with gcomm://; set gcomm://node1,node2,node3")
	}
	list, _, _ = strings.Cut(list, "?")
	var names []string
	seen := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		switch {
		case name == "":
			continue
		case strings.ContainsAny(name, " \t"):
			return nil, fmt.Errorf("%q is no node name; separate the names with commas", name)
		case seen[name]:
			return nil, fmt.Errorf("%s is listed twice; list every node once", name)
		}
		seen[name] = true
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, errors.New("it lists no node, which would make every node a cluster of its own; set gcomm://node1,node2,node3")
	}
	return names, nil
}

// hostMap maps Pacemaker's node names to Galera's.
type hostMap map[string]string

func parseHostMap(value string) (hostMap, error) {
	m := hostMap{}
	for pair := range strings.SplitSeq(value, ";") {
		pair = strings.ReplaceAll(pair, " ", "")
		if pair == "" {
			continue
		}
		pacemaker, galera, ok := strings.Cut(pair, ":")
		if !ok || pacemaker == "" || galera == "" {
			return nil, fmt.Errorf("%q is not of the form pacemaker-name:galera-name; separate pairs with ;", pair)
		}
		if _, twice := m[pacemaker]; twice {
			return nil, fmt.Errorf("%s is mapped twice; map every node once", pacemaker)
		}
		m[pacemaker] = galera
	}
	return m, nil
}

// pacemakerNames turns the names of the address into those of Pacemaker, in the
// same order.
func (m hostMap) pacemakerNames(galera []string) []string {
	back := make(map[string]string, len(m))
	for p, g := range m {
		back[g] = p
	}
	names := make([]string, 0, len(galera))
	for _, g := range galera {
		if p, ok := back[g]; ok {
			g = p
		}
		names = append(names, g)
	}
	return names
}

// splitWords splits a command line as a shell does: blanks separate, quotes and
// backslashes protect. Nothing is expanded.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote rune
	inWord, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			inWord, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			inWord, quote = true, r
		case r == ' ' || r == '\t' || r == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			inWord = true
			word.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed; close it")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
