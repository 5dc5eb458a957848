import { Injectable, NgZone } from '@angular/core';
import { Observable } from 'rxjs';

export interface BalanceUpdate {
  organization_id: string;
  credits: number;
  money_equivalent: number;
  last_updated: number;
}

const API = 'http://127.0.0.1:8080/tokenvault';

@Injectable({ providedIn: 'root' })
export class CreditService {
  constructor(private zone: NgZone) {}

  /** The balance now, and after every change; it ends with its last subscriber. */
  balance(organizationId: string): Observable<BalanceUpdate> {
    return new Observable((subscriber) => {
      let source: EventSource | undefined;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let ended = false;

      const open = async () => {
        try {
          const answer = await fetch('/api/balance-ticket', { method: 'POST' });
          if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);
          const { ticket } = await answer.json();
          if (ended) return;
          const path = `/v1/balance/organizations/${encodeURIComponent(organizationId)}/stream`;
          source = new EventSource(`${API}${path}?ticket=${encodeURIComponent(ticket)}`);
          source.onmessage = (event) => this.zone.run(() => subscriber.next(JSON.parse(event.data)));
          source.onerror = () => again(); // a ticket may be over: the next connection takes a new one
        } catch {
          again();
        }
      };
      const again = () => {
        source?.close();
        if (!ended) timer = setTimeout(open, 5000);
      };

      open();
      return () => {
        ended = true;
        clearTimeout(timer);
        source?.close();
      };
    });
  }
}
