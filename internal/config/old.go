package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// OldPrefix begins the environment variables of the first K8Guard.
const OldPrefix = "K8GUARD_"

// oldPolicy is the name of the policy that the first K8Guard's ladder becomes.
const oldPolicy = "first-k8guard"

// oldLine is one variable as it was set.
type oldLine struct {
	full, name, value string
	rules             []string
	cfg               *Config
}

func (o oldLine) where() string { return "environment variable " + o.full }

// findOld is the variable of this name, without the prefix.
func findOld(all []OldVariable, name string) (OldVariable, bool) {
	i := slices.IndexFunc(all, func(v OldVariable) bool {
		stem, any := strings.CutSuffix(v.Name, "*")
		return v.Name == name || any && strings.HasPrefix(name, stem)
	})
	if i < 0 {
		return OldVariable{}, false
	}
	return all[i], true
}

// old takes over the variables of the first K8Guard. Those that have no meaning here are
// warnings; other names are left alone, for Kubernetes sets some of its own. An empty value
// was none then, and is none now.
func (l *loader) old(env, rules []string, cfg *Config) {
	env = slices.Clone(env)
	slices.Sort(env)
	all := OldVariables()
	for _, line := range env {
		full, value, _ := strings.Cut(line, "=")
		name, ours := strings.CutPrefix(full, OldPrefix)
		if !ours || strings.HasPrefix(full, Prefix) || value == "" {
			continue
		}
		if v, known := findOld(all, name); known {
			v.take(l, oldLine{full: full, name: name, value: value, rules: rules, cfg: cfg})
		}
	}
}

func (l *loader) warn(key, text string) { l.warnings = append(l.warnings, Warning{key, text}) }

// assign gives a key the value, or another one that means the same. The first K8Guard took 1,
// t and TRUE for true.
func (l *loader) assign(o oldLine, key, value string) {
	if v, ok := valueAt(reflect.ValueOf(*o.cfg), key); ok && v.Kind() == reflect.Bool {
		if is, err := strconv.ParseBool(value); err == nil {
			value = strconv.FormatBool(is)
		}
	}
	l.override(o.where(), strings.Split(key, "."), value, o.cfg)
}

// mark notes who set a key that was set without [loader.assign].
func (l *loader) mark(o oldLine, key string) { l.origin[key] = o.where() }

func (l *loader) oldSize(o oldLine) {
	if _, err := strconv.ParseUint(o.value, 10, 32); err != nil {
		l.fail(o.where(), "rules.IMAGE_SIZE.limit", "is no number of MB; write such as 900")
		return
	}
	l.assign(o, "rules.IMAGE_SIZE.limit", o.value+"Mi")
}

func (l *loader) oldLevel(o oldLine) {
	level := strings.ToLower(o.value)
	if same, ok := map[string]string{"warning": "warn", "fatal": "error", "panic": "error"}[level]; ok {
		level = same
	}
	l.assign(o, "log.level", level)
}

func (l *loader) oldPort(o oldLine) {
	l.assign(o, "notify.email.port", o.value)
	if o.value == "465" {
		l.assign(o, "notify.email.tls", "tls")
	}
}

// oldMode only ever makes it safer: that nothing forbids acts does not switch them on.
func (l *loader) oldMode(o oldLine) {
	mode := map[string]string{"ACTION_DRY_RUN": ModeDryRun, "ACTION_SAFE_MODE": ModeSafe}[o.name]
	switch strings.ToLower(o.value) {
	case "true", "1":
		if o.cfg.Enforce.Mode != ModeDryRun {
			o.cfg.Enforce.Mode = mode
		}
		l.mark(o, "enforce.mode")
	case "false", "0":
		if o.name == "ACTION_SAFE_MODE" && o.cfg.Enforce.Mode != ModeEnforce {
			l.warn(o.full, "does not switch enforcement on; write enforce.mode: enforce, after reading docs/gate.md")
		}
	default:
		l.fail(o.where(), "", fmt.Sprintf("%q is neither true nor false", o.value))
	}
}

// oldIgnored disables the rules that are named plainly, or for all objects.
func (l *loader) oldIgnored(o oldLine) {
	for entry := range strings.SplitSeq(o.value, ",") {
		entry = strings.TrimPrefix(strings.TrimSpace(entry), "*:*:*:")
		switch {
		case entry == "":
		case strings.Contains(entry, ":"):
			l.warn(o.full, fmt.Sprintf("%q is about some objects only; write an entry of exemptions, with a reason and an end", entry))
		case o.rules != nil && !slices.Contains(o.rules, entry):
			l.warn(o.full, fmt.Sprintf("there is no rule %q; %s", entry, Suggest(entry, o.rules)))
		case !slices.Contains(o.cfg.Rules.Disabled, entry):
			o.cfg.Rules.Disabled = append(o.cfg.Rules.Disabled, entry)
			l.mark(o, "rules.disabled")
		}
	}
}

// oldLadder makes a policy for all cases of what were two numbers. Policies that the file
// has say their own ladders, and no variable reaches into them.
func (l *loader) oldLadder(o oldLine) {
	key := map[string]string{"ACTION_WARNING_COUNT_BEFORE_ACTION": "warnings", "ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN": "wait"}[o.name]
	if len(o.cfg.Policies) == 0 {
		o.cfg.Policies = []Policy{{Name: oldPolicy, Ladder: DefaultLadder()}}
		l.mark(o, "policies")
	}
	if !strings.HasPrefix(l.origin["policies"], "environment variable ") {
		l.warn(o.full, "does not change policies that the file has; write it into policies[].ladder."+key)
		return
	}
	ladder := &o.cfg.Policies[0].Ladder
	field, _ := fieldByName(reflect.ValueOf(ladder).Elem(), key)
	l.mark(o, "policies[0].ladder."+key)
	if err := setScalar(field, o.value); err != nil {
		l.fail(o.where(), "policies[0].ladder."+key, err.Error())
	}
	if key == "wait" {
		ladder.LastWait = ladder.Wait
	}
}
