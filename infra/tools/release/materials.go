package main

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"time"
)

// bill is a software bill of materials in CycloneDX 1.6, as far as a Go program
// has something to say in it.
type bill struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

// materials writes what a program was built of, which the program itself knows.
func (r release) materials(name, program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	b := bill{Format: "CycloneDX", SpecVersion: "1.6", Version: 1, Metadata: metadata{
		r.time.Format(time.RFC3339), component{"application", info.Main.Path, r.version, "pkg:golang/" + info.Main.Path + "@v" + r.version},
	}}
	b.Components = append(b.Components, component{"platform", "std", info.GoVersion, "pkg:golang/std@" + info.GoVersion[len("go"):]})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Components = append(b.Components, component{"library", m.Path, m.Version, "pkg:golang/" + m.Path + "@" + m.Version})
	}
	written, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(r.path(name+".cdx.json"), append(written, '\n'), 0o644)
}
