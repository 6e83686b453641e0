package target

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"holdfast/tests/chaos/fault"
)

// Inventory is how to reach real machines.
type Inventory struct {
	Logins map[string]string // by node: what ssh is told, like root@db1
	Verbs  map[fault.Verb][]string
}

// setting is the name of a verb in an inventory.
func setting(v fault.Verb) string {
	return strings.ToUpper(strings.ReplaceAll(string(v), "-", "_"))
}

// outside are the verbs that an inventory may say how to do.
func outside() []fault.Verb {
	return []fault.Verb{fault.PowerOff, fault.PowerOn, fault.CableOut, fault.CableIn, fault.Freeze, fault.Thaw}
}

// ParseInventory reads an inventory: lines of KEY=VALUE, comments behind #. NODE
// gives a node's name and its login, POWER_OFF and the like a command whose words
// are separated by blanks. An error names the line.
func ParseInventory(r io.Reader) (Inventory, error) {
	inv := Inventory{Logins: map[string]string{}, Verbs: map[fault.Verb][]string{}}
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := inv.set(line); err != nil {
			return Inventory{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return Inventory{}, fmt.Errorf("read the inventory: %w", err)
	}
	if len(inv.Logins) == 0 {
		return Inventory{}, fmt.Errorf("no NODE is named: add a line like NODE=db1 root@db1 for each")
	}
	return inv, nil
}

func (inv *Inventory) set(line string) error {
	key, value, found := strings.Cut(line, "=")
	words := strings.Fields(value)
	if !found || len(words) == 0 {
		return fmt.Errorf("%q is not KEY=VALUE", line)
	}
	if key == "NODE" {
		if len(words) != 2 || strings.HasPrefix(words[1], "-") || inv.Logins[words[0]] != "" {
			return fmt.Errorf("%q: give every node once, with its name and its login, like NODE=db1 root@db1", line)
		}
		inv.Logins[words[0]] = words[1]
		return nil
	}
	for _, verb := range outside() {
		if key == setting(verb) {
			inv.Verbs[verb] = words
			return nil
		}
	}
	return fmt.Errorf("%q is not known: NODE, %s", key, strings.Join(settings(), ", "))
}

func settings() []string {
	var names []string
	for _, v := range outside() {
		names = append(names, setting(v))
	}
	return names
}

// SSH is real machines. The login must be root's or one that may run sh by sudo
// without a password, and needs a key: nobody is asked for anything.
func SSH(inv Inventory) Target {
	return Target{
		Name: "ssh",
		shell: []string{"ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "{login}",
			`if [ "$(id -u)" = 0 ]; then exec sh -e; else exec sudo -n sh -e; fi`},
		verbs: inv.Verbs, logins: inv.Logins,
	}
}

// Missing lists the nodes that the inventory does not name.
func (inv Inventory) Missing(nodes []string) []string {
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return inv.Logins[n] != "" })
}
