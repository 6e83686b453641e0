package ocf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Type is the type of a parameter's value. Its text stands in the meta-data's
// content element, so it is one of those that every validator on Debian 12 takes.
type Type string

// The types of the OCF meta-data that agents here use.
const (
	String  Type = "string"
	Integer Type = "integer"
	Boolean Type = "boolean"
)

// Parameter is one row of an agent's parameter table.
type Parameter struct {
	Name     string
	Type     Type
	Default  string // as it stands in the meta-data; "" prints no default
	Required bool
	Unique   bool // no two resources of this type may share the value
	Short    string
	Long     string

	// Aliases are older names that are read when Name itself is not set. They are
	// not advertised.
	Aliases []string
	// Hidden keeps the parameter out of the meta-data: accepted for compatibility.
	Hidden bool
	// Secret values are never printed, neither in reasons nor in logs.
	Secret bool
	// Choices, if any, are the only values allowed.
	Choices []string
	// Min is the smallest Integer allowed.
	Min *int
	// Check says what is wrong with a value that has the right type. It sees no
	// default and no empty value.
	Check func(value string) error
}

// AtLeast is for [Parameter.Min].
func AtLeast(n int) *int { return &n }

// problem says, in one sentence with the remedy, what is wrong with value; nil if
// nothing is.
func (p *Parameter) problem(value string) error {
	shown := value
	if p.Secret {
		shown = "(hidden)"
	}
	switch p.Type {
	case Integer:
		n, err := strconv.Atoi(value)
		if err != nil {
			return Errorf(ErrConfigured, "%s=%q is not a whole number; set one, such as %s", p.Name, shown, p.example("1"))
		}
		if p.Min != nil && n < *p.Min {
			return Errorf(ErrConfigured, "%s=%d is too small; set %d or more", p.Name, n, *p.Min)
		}
	case Boolean:
		if _, ok := parseBool(value); !ok {
			return Errorf(ErrConfigured, "%s=%q is neither true nor false; set true or false", p.Name, shown)
		}
	case String:
	}
	if len(p.Choices) > 0 && !contains(p.Choices, value) {
		return Errorf(ErrConfigured, "%s=%q is not known; set one of %s", p.Name, shown, strings.Join(p.Choices, ", "))
	}
	if p.Check != nil {
		if err := p.Check(value); err != nil {
			return fmt.Errorf("%s=%q: %w", p.Name, shown, asConfigured(err))
		}
	}
	return nil
}

func (p *Parameter) example(fallback string) string {
	if p.Default != "" {
		return p.Default
	}
	return fallback
}

// asConfigured gives a parameter's own check the status of a bad configuration
// unless it chose another.
func asConfigured(err error) error {
	if CodeOf(err) != ErrGeneric {
		return err
	}
	return &Error{Code: ErrConfigured, Reason: err.Error(), Err: err}
}

// parseBool takes what ocf_is_true of resource-agents takes for true, and their
// opposites for false.
func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "yes", "true", "1", "ja", "on", "y", "t":
		return true, true
	case "no", "false", "0", "nein", "off", "n", "f":
		return false, true
	default:
		return false, false
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Values are the parameters of one call, typed. Asking for a name that the
// agent's table does not have, or for the wrong type, is a programming error and
// panics.
type Values struct {
	table map[string]*Parameter
	given map[string]string
	used  map[string]string // parsed without a problem, defaults filled in
}

// ParseValues reads the table's parameters from the environment. Every problem is
// returned, not only the first, and a parameter with a problem has its default:
// an action that must go on regardless (stop) can do so.
func ParseValues(table []Parameter, getenv func(string) string) (Values, []error) {
	v := Values{
		table: make(map[string]*Parameter, len(table)),
		given: make(map[string]string, len(table)),
		used:  make(map[string]string, len(table)),
	}
	var problems []error
	for i := range table {
		p := &table[i]
		v.table[p.Name] = p
		v.used[p.Name] = p.Default
		value := lookUp(p, getenv)
		if value == "" {
			if p.Required {
				problems = append(problems, Errorf(ErrConfigured, "%s is not set, and it must be; %s", p.Name, p.Short))
			}
			continue
		}
		v.given[p.Name] = value
		if err := p.problem(value); err != nil {
			problems = append(problems, err)
			continue
		}
		v.used[p.Name] = value
	}
	return v, problems
}

func lookUp(p *Parameter, getenv func(string) string) string {
	if s := getenv("OCF_RESKEY_" + p.Name); s != "" {
		return s
	}
	for _, alias := range p.Aliases {
		if s := getenv("OCF_RESKEY_" + alias); s != "" {
			return s
		}
	}
	return ""
}

// String returns the value, or the default if it was not given or is not valid.
func (v Values) String(name string) string {
	v.mustHave(name, "")
	return v.used[name]
}

// Given returns what the operator set, valid or not, and whether anything was set.
func (v Values) Given(name string) (string, bool) {
	v.mustHave(name, "")
	s, ok := v.given[name]
	return s, ok
}

// Int returns an Integer parameter's value; 0 if it has neither value nor default.
func (v Values) Int(name string) int {
	v.mustHave(name, Integer)
	n, _ := strconv.Atoi(v.used[name]) // problems were found by ParseValues
	return n
}

// Bool returns a Boolean parameter's value; false if it has neither value nor default.
func (v Values) Bool(name string) bool {
	v.mustHave(name, Boolean)
	b, _ := parseBool(v.used[name])
	return b
}

// Milliseconds returns an Integer parameter in milliseconds as a duration.
func (v Values) Milliseconds(name string) time.Duration {
	return time.Duration(v.Int(name)) * time.Millisecond
}

func (v Values) mustHave(name string, want Type) {
	p, ok := v.table[name]
	if !ok {
		panic("ocf: no parameter " + name + " in the agent's table")
	}
	if want != "" && p.Type != want {
		panic("ocf: parameter " + name + " is of type " + string(p.Type) + ", not " + string(want))
	}
}
