import { AsyncPipe, DatePipe, DecimalPipe, NgIf } from '@angular/common';
import { Component, Input, OnChanges } from '@angular/core';
import { Observable } from 'rxjs';
import { BalanceUpdate, CreditService } from './credit.service';

@Component({
  selector: 'app-balance-display',
  standalone: true,
  imports: [AsyncPipe, DatePipe, DecimalPipe, NgIf],
  template: `
    <section *ngIf="balance$ | async as balance; else waiting" aria-live="polite">
      <strong>{{ balance.credits | number }}</strong> credits
      <div>≈ {{ balance.money_equivalent | number: '1.2-2' }} USD</div>
      <small>{{ balance.last_updated * 1000 | date: 'mediumTime' }}</small>
    </section>
    <ng-template #waiting>Connecting…</ng-template>
  `,
})
export class BalanceDisplayComponent implements OnChanges {
  @Input({ required: true }) organizationId!: string;
  balance$!: Observable<BalanceUpdate>;

  constructor(private credits: CreditService) {}

  ngOnChanges(): void {
    this.balance$ = this.credits.balance(this.organizationId);
  }
}
