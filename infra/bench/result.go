package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// figure is one measured number.
type figure struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit,omitempty"`
	Target string  `json:"target,omitempty"` // what it should be, such as "≥ 3000"; "" for no target
	Met    *bool   `json:"met,omitempty"`    // whether it is; nil without a target
}

// result is what one scenario measured.
type result struct {
	Scenario string   `json:"scenario"`
	About    string   `json:"about"`
	Figures  []figure `json:"figures"`
}

func (r *result) add(name string, value float64, unit string) {
	r.Figures = append(r.Figures, figure{Name: name, Value: value, Unit: unit})
}

// atLeast and atMost add a figure that has a target.
func (r *result) atLeast(name string, value float64, unit string, target float64) {
	met := value >= target
	r.Figures = append(r.Figures, figure{name, value, unit, fmt.Sprintf("≥ %g", target), &met})
}

func (r *result) atMost(name string, value float64, unit string, target float64) {
	met := value <= target
	r.Figures = append(r.Figures, figure{name, value, unit, fmt.Sprintf("≤ %g", target), &met})
}

// print writes the result as a table.
func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %s\n", r.Scenario, r.About)
	for _, f := range r.Figures {
		mark := ""
		if f.Met != nil && *f.Met {
			mark = "✓ " + f.Target
		} else if f.Met != nil {
			mark = "✗ " + f.Target
		}
		line := fmt.Sprintf("  %-40s %9s %-5s %s", f.Name, number(f.Value), f.Unit, mark)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// number writes a value with as many decimals as mean something.
func number(v float64) string {
	switch {
	case v == float64(int64(v)):
		return fmt.Sprintf("%d", int64(v))
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 1000:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// report is the whole run as JSON has it.
type report struct {
	At      time.Time `json:"at"`
	Machine machine   `json:"machine"`
	Results []result  `json:"results"`
}

// machine is what the numbers were measured on.
type machine struct {
	OS     string  `json:"os"`
	Arch   string  `json:"arch"`
	CPU    string  `json:"cpu,omitempty"`
	Cores  int     `json:"cores"`
	Go     string  `json:"go"`
	Load   string  `json:"load,omitempty"` // the system's load average when the run began: what else went on
	SyncMS float64 `json:"sync_ms"`        // median time to make 4 KiB durable in the data's folder
}

func describe(dir string) (machine, error) {
	m := machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	took, err := syncTime(dir)
	m.SyncMS = milliseconds(took)
	return m, err
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores, %s %s/%s, %s; load before %s; 4 KiB reach the disk in %.2f ms", m.Cores, m.CPU, m.OS, m.Arch, m.Go, m.Load, m.SyncMS)
}

func (r *report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
