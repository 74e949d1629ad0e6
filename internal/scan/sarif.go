package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/rule"
)

// PrintSARIF writes the report as SARIF 2.1.0, which code hosts show beside the lines. What
// could not be judged is a result of kind "open"; what could not be read, a notification.
func (r Report) PrintSARIF(w io.Writer, rules []rule.Meta, version string) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "K8Guard", Version: version, Rules: []sarifRule{}}
	for _, m := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: m.ID, Short: sarifText{m.Title}, Full: sarifText{m.Why}, Help: sarifText{m.Remedy}})
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, f.sarif()...)
	}
	call := sarifInvocation{Successful: len(r.Errors) == 0}
	for _, e := range r.Errors {
		call.Notifications = append(call.Notifications, sarifNotification{Level: "error", Message: sarifText{Visible(e)}})
	}
	run.Invocations = []sarifInvocation{call}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}}); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}

func (f Finding) sarif() []sarifResult {
	base := sarifResult{Rule: f.Verdict.Rule, Kind: "open", Level: "none", Message: sarifText{Visible(f.Verdict.Reason)}, Locations: []sarifLocation{f.location()}}
	if f.Verdict.State == v1.Unknown {
		base.Prints = f.prints("")
		return []sarifResult{base}
	}
	var all []sarifResult
	for _, v := range f.Verdict.Violations {
		one := base
		one.Kind, one.Level, one.Prints = "fail", sarifLevel(f.Verdict.Severity), f.prints(v.Source)
		one.Message = sarifText{Visible(f.object() + ": " + v.Source + ": " + withEvidence(v))}
		all = append(all, one)
	}
	return all
}

func (f Finding) location() sarifLocation {
	at := sarifLocation{Logical: []sarifLogical{{Name: Visible(f.object()), Kind: "resource"}}}
	if f.File != "" {
		// A name in parentheses, of stdin or of what was rendered, is no path, but says where.
		path := (&url.URL{Path: filepath.ToSlash(strings.Trim(f.File, "()"))}).String()
		at.Physical = &sarifPhysical{Region: sarifRegion{Line: max(f.Line, 1)}}
		at.Physical.Artifact.URI = path
	}
	return at
}

// prints is what stays of a finding when lines move and images change.
func (f Finding) prints(source string) map[string]string {
	sum := sha256.Sum256([]byte(f.object() + "\n" + f.Verdict.Rule + "\n" + source))
	return map[string]string{"k8guard/v1": hex.EncodeToString(sum[:16])}
}

func sarifLevel(severity string) string {
	switch rule.Severity(severity) {
	case rule.Critical, rule.High:
		return "error"
	case rule.Medium:
		return "warning"
	}
	return "note"
}
