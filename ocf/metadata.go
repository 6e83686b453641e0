package ocf

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Meta-data stays at OCF 1.0 with a DOCTYPE: this passes ocf-tester's DTD,
// metadata.rng of resource-agents and both schemas of pcs 0.11, whereas 1.1
// fails the first. The roles are spelt as Pacemaker 2.1 spells them.
const (
	metadataHeader = `<?xml version="1.0"?>` + "\n" +
		`<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">` + "\n"
	metadataAPI = "1.0"
)

type xmlAgent struct {
	XMLName    xml.Name       `xml:"resource-agent"`
	Name       string         `xml:"name,attr"`
	Version    string         `xml:"version,attr"`
	API        string         `xml:"version"`
	Long       xmlText        `xml:"longdesc"`
	Short      xmlText        `xml:"shortdesc"`
	Parameters []xmlParameter `xml:"parameters>parameter"`
	Actions    []xmlAction    `xml:"actions>action"`
}

type xmlText struct {
	Lang string `xml:"lang,attr"`
	Text string `xml:",chardata"`
}

type xmlParameter struct {
	Name     string     `xml:"name,attr"`
	Unique   string     `xml:"unique,attr"`
	Required string     `xml:"required,attr"`
	Long     xmlText    `xml:"longdesc"`
	Short    xmlText    `xml:"shortdesc"`
	Content  xmlContent `xml:"content"`
}

type xmlContent struct {
	Type    string `xml:"type,attr"`
	Default string `xml:"default,attr,omitempty"`
}

type xmlAction struct {
	Name     string `xml:"name,attr"`
	Timeout  string `xml:"timeout,attr"`
	Interval string `xml:"interval,attr,omitempty"`
	Depth    string `xml:"depth,attr,omitempty"`
	Role     string `xml:"role,attr,omitempty"`
}

// WriteMetadata prints the agent's meta-data: the OCF 1.0 document that
// crm_resource --show-metadata, pcs and crmsh read.
func (a *Agent) WriteMetadata(w io.Writer) error {
	doc := xmlAgent{
		Name: a.Name, Version: a.Version, API: metadataAPI,
		Long: text(a.Long), Short: text(a.Short),
	}
	for i := range a.Parameters {
		if p := &a.Parameters[i]; !p.Hidden {
			doc.Parameters = append(doc.Parameters, describeParameter(p))
		}
	}
	for i := range a.Actions {
		if act := &a.Actions[i]; !act.Hidden {
			doc.Actions = append(doc.Actions, describeAction(act))
		}
	}
	out, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("encode meta-data of %s: %w", a.Name, err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", metadataHeader, out); err != nil {
		return fmt.Errorf("print meta-data of %s: %w", a.Name, err)
	}
	return nil
}

func text(s string) xmlText { return xmlText{Lang: "en", Text: strings.TrimSpace(s)} }

func describeParameter(p *Parameter) xmlParameter {
	long := p.Long
	if long == "" {
		long = p.Short
	}
	return xmlParameter{
		Name: p.Name, Unique: flag(p.Unique), Required: flag(p.Required),
		Long: text(long), Short: text(p.Short),
		Content: xmlContent{Type: string(p.Type), Default: p.Default},
	}
}

func describeAction(a *Action) xmlAction {
	x := xmlAction{Name: a.Name, Timeout: seconds(a.Timeout), Role: a.Role}
	if a.Interval > 0 {
		x.Interval = seconds(a.Interval)
		x.Depth = strconv.Itoa(a.Depth)
	}
	return x
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + "s" }
