package kafka

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Login says who we are. Empty: nobody, or whom the certificate names.
type Login struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.
	Mechanism, User, Password string
	// TokenFile holds OAUTHBEARER's token; it is read for each connection.
	TokenFile string
}

func (l Login) mechanism() (sasl.Mechanism, error) {
	switch l.Mechanism {
	case "":
		if l.User != "" || l.Password != "" {
			return nil, fmt.Errorf("kafka: a user is set and no mechanism, write SCRAM-SHA-512 or what your brokers take")
		}
		return nil, nil //nolint:nilnil // no login
	case "PLAIN":
		return plain.Auth{User: l.User, Pass: l.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: l.User, Pass: l.Password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: l.User, Pass: l.Password}.AsSha512Mechanism(), nil
	case "OAUTHBEARER":
		if l.TokenFile == "" {
			return nil, fmt.Errorf("kafka: OAUTHBEARER without a token file, name one")
		}
		return oauth.Oauth(l.token), nil
	}
	return nil, fmt.Errorf("kafka: mechanism %q is not known, write PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", l.Mechanism)
}

func (l Login) token(context.Context) (oauth.Auth, error) {
	text, err := os.ReadFile(l.TokenFile)
	if err != nil {
		return oauth.Auth{}, fmt.Errorf("read Kafka's token: %w", err)
	}
	return oauth.Auth{Token: strings.TrimSpace(string(text))}, nil
}
