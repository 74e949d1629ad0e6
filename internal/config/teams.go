package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Teams is the file that owners.teamsFile names.
type Teams struct {
	// Teams are asked in their order; the first that matches owns.
	Teams []Team `yaml:"teams"`
}

// Team owns namespaces, or what single rules find in them.
type Team struct {
	Name   string   `yaml:"name"`
	Emails []string `yaml:"emails"`
	// Namespaces are exact names; "*" is every namespace.
	Namespaces []string `yaml:"namespaces"`
	// Labels are "key=value" of Namespace objects; one that matches is enough.
	Labels []string `yaml:"labels"`
	// Slack and HipChat are the team's ids there, see notify.slack.users and notify.hipchat.users.
	Slack   []string `yaml:"slack"`
	HipChat []string `yaml:"hipchat"`
	// Rules narrow the team to what these rules find; none means all rules.
	Rules []string `yaml:"rules"`
}

// LoadTeams reads the teams file of a configuration; none is named, none is read. Rules are
// the known rule ids; nil means that any may be named. valid reads one address strictly.
func LoadTeams(c Config, rules []string, valid func(string) bool) ([]Team, error) {
	file := c.Owners.TeamsFile
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("owners.teamsFile: %w; name a readable file, or leave the key out", err)
	}
	return LoadTeamsBytes(data, file, c.Notify.Email.Domains, rules, valid)
}

// LoadTeamsBytes is [LoadTeams] with the file's bytes given, and the domains that mail may go
// to; no domains allow all. The error joins every mistake, each with file, line and key.
func LoadTeamsBytes(data []byte, file string, domains, rules []string, valid func(string) bool) ([]Team, error) {
	var all Teams
	l := &loader{file: file, origin: map[string]string{}}
	l.document(data, &all)
	if len(l.errs) == 0 {
		c := &checker{}
		c.teams(all.Teams, domains, rules, valid)
		for _, p := range c.found {
			l.fail(l.where(p.key), p.key, p.what)
		}
	}
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	return all.Teams, nil
}

func (c *checker) teams(all []Team, domains, rules []string, valid func(string) bool) {
	names := map[string]bool{}
	for i, t := range all {
		key := fmt.Sprintf("teams[%d]", i)
		c.bad(t.Name == "", key+".name", "is empty; give each team a name")
		c.bad(t.Name != "" && names[t.Name], key+".name", "is taken by an earlier team; give each its own")
		names[t.Name] = true
		c.bad(len(t.Emails) == 0, key+".emails", "is empty; list whom K8Guard writes to")
		for j, address := range t.Emails {
			at := fmt.Sprintf("%s.emails[%d]", key, j)
			c.bad(!valid(address), at, "is not a plain address; write name@example.com")
			c.bad(valid(address) && !within(address, domains), at, "is outside notify.email.domains; add its domain there, or write another")
		}
		c.bad(len(t.Namespaces)+len(t.Labels) == 0, key, `owns no namespace; write namespaces: [name], labels: ["key=value"], or namespaces: ["*"] for all`)
		for j, label := range t.Labels {
			name, value, ok := strings.Cut(label, "=")
			c.bad(!ok || name == "" || value == "", fmt.Sprintf("%s.labels[%d]", key, j), `is not a label; write "key=value"`)
		}
		for j, name := range t.Namespaces {
			c.bad(name == "" || name != "*" && strings.ContainsAny(name, "*?/ "), fmt.Sprintf("%s.namespaces[%d]", key, j),
				`is no name of a namespace; write an exact name, or "*" for all`)
		}
		for j, id := range t.Slack {
			c.bad(!SlackID(id), fmt.Sprintf("%s.slack[%d]", key, j), noSlackID)
		}
		for j, id := range t.HipChat {
			c.bad(!HipChatID(id), fmt.Sprintf("%s.hipchat[%d]", key, j), noHipChatID)
		}
		c.rules(key+".rules", t.Rules, rules)
	}
}

// within reports whether an address is in one of the domains; with none, all are allowed.
func within(address string, domains []string) bool {
	_, domain, _ := strings.Cut(address, "@")
	return len(domains) == 0 || slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}
