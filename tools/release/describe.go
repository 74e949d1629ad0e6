package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"strings"
	"time"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
	"sigs.k8s.io/yaml"

	"github.com/k8guard/k8guard/tools/licences"
)

const downloads = "https://github.com/k8guard/k8guard/releases/download/"

// licences are those of all that is compiled in; one that is not allowed ends the release.
func (s settings) licences() (text string, all []licences.Module, err error) {
	if all, err = licences.Of(s.root, "./cmd/k8guard"); err != nil {
		return "", nil, err
	}
	if err := licences.Check(all, licences.Allowed()); err != nil {
		return "", nil, err
	}
	return licences.List(all), all, nil
}

// materials writes what a program says that it is made of, as CycloneDX. It is read out of
// the program itself, so it is of what ships.
func (s settings) materials(to string, a archive, known []licences.Module) error {
	info, err := buildinfo.ReadFile(a.binary)
	if err != nil {
		return fmt.Errorf("read what the program is made of: %w", err)
	}
	by := map[string][]string{}
	for _, m := range known {
		by[m.Path] = m.Licences
	}
	bom := cyclonedx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(downloads+a.sum)).String()
	self := component(cyclonedx.ComponentTypeApplication, info.Main.Path, s.version, []string{"Apache-2.0"})
	self.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: a.built}}
	bom.Metadata = &cyclonedx.Metadata{Timestamp: s.date.UTC().Format(time.RFC3339), Component: &self}
	parts := []cyclonedx.Component{component(cyclonedx.ComponentTypeLibrary, "std", strings.TrimPrefix(info.GoVersion, "go"), []string{"BSD-3-Clause"})}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, component(cyclonedx.ComponentTypeLibrary, m.Path, m.Version, by[m.Path]))
	}
	bom.Components = &parts
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := cyclonedx.NewBOMEncoder(out, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cyclonedx.SpecVersion1_6); err != nil {
		_ = out.Close() // the first error counts
		return err
	}
	return out.Close()
}

func component(kind cyclonedx.ComponentType, path, version string, under []string) cyclonedx.Component {
	url := "pkg:golang/" + path + "@" + version
	c := cyclonedx.Component{BOMRef: url, Type: kind, Name: path, Version: version, PackageURL: url}
	var choices cyclonedx.Licenses
	for _, id := range under {
		choices = append(choices, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
	}
	if len(choices) > 0 {
		c.Licenses = &choices
	}
	return c
}

// plugin is krew's manifest; see its documentation, "Plugin manifest".
type plugin struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   map[string]string `json:"metadata"`
	Spec       pluginSpec        `json:"spec"`
}

type pluginSpec struct {
	Version          string           `json:"version"`
	Homepage         string           `json:"homepage"`
	ShortDescription string           `json:"shortDescription"`
	Description      string           `json:"description"`
	Platforms        []pluginPlatform `json:"platforms"`
}

type pluginPlatform struct {
	Selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	} `json:"selector"`
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
	Bin    string `json:"bin"`
}

// krew writes the manifest of "kubectl k8guard".
func (s settings) krew(to string, all []archive) error {
	p := plugin{APIVersion: "krew.googlecontainertools.github.com/v1alpha2", Kind: "Plugin", Metadata: map[string]string{"name": "k8guard"}}
	p.Spec = pluginSpec{Version: "v" + strings.TrimPrefix(s.version, "v"), Homepage: "https://github.com/k8guard/k8guard",
		ShortDescription: "Audit workloads, tell owners, act after warning",
		Description: "Judges what runs in a cluster or lies in manifests, tells the owner of each violation,\n" +
			"and after fair warning acts on it, reversibly. It acts on nothing until you say so.\n"}
	for _, a := range all {
		one := pluginPlatform{URI: downloads + s.version + "/" + a.name, SHA256: a.sum, Bin: program(a.platform)}
		one.Selector.MatchLabels = map[string]string{"os": a.os, "arch": a.arch}
		p.Spec.Platforms = append(p.Spec.Platforms, one)
	}
	text, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
