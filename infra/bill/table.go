package bill

import (
	"fmt"
	"math"
	"strings"
)

// Table is the bill of a million events in Markdown, without the lines of
// which nothing was used.
func (u Usage) Table() string { return Tables([]string{""}, map[string]Usage{"": u}) }

// Tables is the bill of several ways of publishing, side by side.
func Tables(ways []string, usage map[string]Usage) string {
	var b strings.Builder
	b.WriteString("| per million events | price |")
	for _, way := range ways {
		fmt.Fprintf(&b, " %s | |", way)
	}
	b.WriteString("\n|---|--:|" + strings.Repeat("--:|--:|", len(ways)) + "\n")
	totals := make([]float64, len(ways))
	for _, l := range Lines {
		row, used := l.row(ways, usage, totals)
		if used {
			b.WriteString(row)
		}
	}
	b.WriteString("| **together** | |")
	for _, total := range totals {
		fmt.Fprintf(&b, " | **$%.2f** |", total)
	}
	b.WriteString("\n")
	for _, l := range Beside {
		if row, used := l.row(ways, usage, make([]float64, len(ways))); used {
			b.WriteString(strings.Replace(row, "| ", "| beside: ", 1))
		}
	}
	return b.String()
}

func (l Line) row(ways []string, usage map[string]Usage, totals []float64) (row string, used bool) {
	price := Prices().Prices[l.Price]
	row = fmt.Sprintf("| %s | %s |", l.What, price)
	for i, way := range ways {
		n := usage[way][l.ID]
		dollars := n * price.Each()
		totals[i] += dollars
		used = used || dollars >= 0.0005
		row += fmt.Sprintf(" %s | $%.3f |", quantity(n), dollars)
	}
	return row + "\n", used
}

// String is the price as a bill names it.
func (p Price) String() string {
	if p.Per >= 1e4 {
		return fmt.Sprintf("$%.4g/M", p.Each()*1e6)
	}
	return fmt.Sprintf("$%.4g", p.Each())
}

// quantity is a number that people can compare.
func quantity(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.2fM", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.0fk", n/1e3)
	case n >= 10:
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.2g", n)
}

// Rounded is the usage to three digits, which is what counts the same twice.
func (u Usage) Rounded() Usage {
	round := Usage{}
	for line, n := range u {
		if n > 0 {
			scale := math.Pow(10, 2-math.Floor(math.Log10(n)))
			round[line] = math.Round(n*scale) / scale
		}
	}
	return round
}
