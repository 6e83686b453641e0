package ocf

import (
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"time"
)

// Meta-data stays at OCF 1.0 with a DOCTYPE: this passes ocf-tester's DTD,
// metadata.rng of resource-agents and both schemas of pcs 0.11, whereas 1.1
// fails the first. The roles are spelt as Pacemaker 2.1 spells them.
const metadataHeader = `<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="%s" version="%s">
  <version>1.0</version>
`

// WriteMetadata prints the agent's meta-data: the OCF 1.0 document that
// crm_resource --show-metadata, pcs and crmsh read.
//
// It is written by hand: encoding/xml costs every monitor what it prepares when a
// process starts, and a document of this shape needs nothing of it but quoting.
func (a *Agent) WriteMetadata(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, metadataHeader, quote(a.Name), quote(a.Version))
	describe(&b, "  ", a.Long, a.Short)
	b.WriteString("  <parameters>\n")
	for i := range a.Parameters {
		if p := &a.Parameters[i]; !p.Hidden {
			describeParameter(&b, p)
		}
	}
	b.WriteString("  </parameters>\n  <actions>\n")
	for i := range a.Actions {
		if act := &a.Actions[i]; !act.Hidden {
			describeAction(&b, act)
		}
	}
	b.WriteString("  </actions>\n</resource-agent>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print meta-data of %s: %w", a.Name, err)
	}
	return nil
}

// quote protects text and attribute values; what it makes of quotes is XML too.
func quote(s string) string { return html.EscapeString(s) }

func describe(b *strings.Builder, indent, long, short string) {
	fmt.Fprintf(b, "%s<longdesc lang=\"en\">%s</longdesc>\n", indent, quote(strings.TrimSpace(long)))
	fmt.Fprintf(b, "%s<shortdesc lang=\"en\">%s</shortdesc>\n", indent, quote(strings.TrimSpace(short)))
}

func describeParameter(b *strings.Builder, p *Parameter) {
	long := p.Long
	if long == "" {
		long = p.Short
	}
	fmt.Fprintf(b, "    <parameter name=\"%s\" unique=\"%s\" required=\"%s\">\n", quote(p.Name), flag(p.Unique), flag(p.Required))
	describe(b, "      ", long, p.Short)
	fmt.Fprintf(b, "      <content type=\"%s\"%s></content>\n    </parameter>\n", quote(string(p.Type)), attribute("default", p.Default))
}

func describeAction(b *strings.Builder, a *Action) {
	interval, depth := "", ""
	if a.Interval > 0 {
		interval, depth = seconds(a.Interval), strconv.Itoa(a.Depth)
	}
	fmt.Fprintf(b, "    <action name=\"%s\" timeout=\"%s\"%s%s%s></action>\n", quote(a.Name), seconds(a.Timeout),
		attribute("interval", interval), attribute("depth", depth), attribute("role", a.Role))
}

// attribute is nothing for an empty value.
func attribute(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + `="` + quote(value) + `"`
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + "s" }
