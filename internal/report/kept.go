package report

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/ledger"
)

// positioned is a ledger that names its state: while the name is the same, so are its answers.
type positioned interface {
	Position(ctx context.Context) (string, error)
}

// kept is a ledger whose dearest question, which every front page asks, is answered once for
// each state and each part: a part is what a reader may see.
type kept struct {
	ledger.Projections
	at      positioned
	answers *cache.Cache
}

// Overview counts, or says what was counted of this very state.
func (k *kept) Overview(ctx context.Context, part ledger.Part) (o ledger.Overview, err error) {
	position, err := k.at.Position(ctx)
	if err != nil {
		return k.Projections.Overview(ctx, part)
	}
	question, err := json.Marshal(part)
	if err != nil {
		return o, fmt.Errorf("name a part: %w", err)
	}
	text, err := k.answers.Load(ctx, "overview "+position+" "+string(question), func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, readLimit) // who asked may be gone
		defer cancel()
		o, err := k.Projections.Overview(ctx, part)
		if err != nil {
			return nil, err
		}
		return json.Marshal(o)
	})
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(text, &o)
}
