package results

import "math"

// z is the quantile of the normal distribution for intervals of 95 %.
const z = 1.959963984540054

// Group is how many were sent to, or held out, and how many of these converted.
type Group struct{ Of, Converted int64 }

// Rate is the share that converted.
func (g Group) Rate() float64 { return float64(g.Converted) / float64(g.Of) }

// wilson is the 95 % interval of the rate, after Wilson.
func (g Group) wilson() (low, high float64) {
	n, p := float64(g.Of), g.Rate()
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return (middle - half) / (1 + z*z/n), (middle + half) / (1 + z*z/n)
}

// Lift is how much more often those who were sent to converted than those held out.
type Lift struct {
	Difference, Low, High float64   // of the rates, with its 95 % interval after Newcombe
	Relative              *Relative // nil if nobody who was held out converted, or nobody at all
}

// Relative is the difference as a share of the rate of those held out.
type Relative struct {
	Lift, Low, High float64 // with its 95 % interval, after Katz
}

// LiftOf compares two groups; false if one of them is empty. Of a group no more can
// convert than it has.
func LiftOf(sent, held Group) (l Lift, ok bool) {
	if sent.Of <= 0 || held.Of <= 0 {
		return l, false
	}
	sent.Converted, held.Converted = min(sent.Converted, sent.Of), min(held.Converted, held.Of)
	p, q := sent.Rate(), held.Rate()
	lowP, highP := sent.wilson()
	lowQ, highQ := held.wilson()
	l.Difference = p - q
	l.Low = l.Difference - math.Hypot(p-lowP, highQ-q)
	l.High = l.Difference + math.Hypot(highP-p, q-lowQ)
	if sent.Converted > 0 && held.Converted > 0 {
		half := z * math.Sqrt(1/float64(sent.Converted)-1/float64(sent.Of)+1/float64(held.Converted)-1/float64(held.Of))
		ratio := p / q
		l.Relative = &Relative{ratio - 1, ratio*math.Exp(-half) - 1, ratio*math.Exp(half) - 1}
	}
	return l, true
}
